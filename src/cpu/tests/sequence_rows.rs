//! Kernels over whole sequences, with values worked out by hand.

use super::player::{Bench, f32s};
use crate::cpu::CpuPlayer;
use crate::kernels::{KernelId, Step, params::*};

fn step(rows: u32) -> Step {
    Step::one(0, rows, 0, 0)
}

fn close(found: &[f32], expected: &[f32]) {
    let near = |(a, b): (&f32, &f32)| (a - b).abs() < 2e-6 * b.abs().max(1.0);
    assert!(found.len() == expected.len() && found.iter().zip(expected).all(near), "{found:?} is not {expected:?}");
}

/// `n` rows of four equal elements.
fn rows(values: impl IntoIterator<Item = f32>) -> Vec<f32> {
    values.into_iter().flat_map(|x| [x; 4]).collect()
}

#[test]
fn prefixes_come_before_every_sequence() {
    let mut b = Bench::new(CpuPlayer::plain());
    let prefix = b.floats(&rows([1.0, 2.0]));
    let (x, out) = (b.floats(&rows([10.0, 20.0, 30.0, 40.0, 50.0, 60.0])), b.floats(&rows([-1.0; 10])));
    let p = PrependParams { tokens: 10, width: 4, prefix_rows: 2, x_rows: 3 };
    b.run(KernelId::Prepend, &p, &[prefix, x, out], step(9));
    close(&f32s(&b.read(out)), &rows([1.0, 2.0, 10.0, 20.0, 30.0, 1.0, 2.0, 40.0, 50.0, -1.0]));
    let out = b.floats(&rows([-1.0; 6]));
    let p = PrependParams { tokens: 6, x_rows: 0, ..p };
    b.run(KernelId::Prepend, &p, &[prefix, prefix, out], step(5));
    close(&f32s(&b.read(out)), &rows([1.0, 2.0, 1.0, 2.0, 1.0, -1.0]));
    let error = b.try_run(KernelId::Prepend, &PrependParams { prefix_rows: 0, ..p }, &[prefix, x, out], step(5));
    assert!(error.is_err_and(|e| e.to_string().contains("rows of sequences without one is 5, and at most 0")));
}

#[test]
fn rows_are_taken_from_every_sequence() {
    let mut b = Bench::new(CpuPlayer::plain());
    let (x, out) = (b.floats(&rows((0..9).map(|i| i as f32))), b.floats(&rows([-1.0; 6])));
    let p = SelectRowsParams { tokens: 6, width: 4, sequence_rows: 3, first: 1, rows: 2, ..Default::default() };
    b.run(KernelId::SelectRows, &p, &[x, out], step(5));
    close(&f32s(&b.read(out)), &rows([1.0, 2.0, 4.0, 5.0, 7.0, -1.0]));
    let error = b.try_run(KernelId::SelectRows, &SelectRowsParams { first: 2, ..p }, &[x, out], step(5));
    assert!(error.is_err_and(|e| e.to_string().contains("rows up to the last that is taken is 4, and at most 3")));
    let error = b.try_run(KernelId::SelectRows, &SelectRowsParams { rows: 0, ..p }, &[x, out], step(5));
    assert!(error.is_err_and(|e| e.to_string().contains("rows of sequences without one")));
}

#[test]
fn means_are_of_the_rows_that_count() {
    let mut b = Bench::new(CpuPlayer::plain());
    let (x, out) = (b.floats(&rows([9.0, 1.0, 2.0, 9.0, 4.0, 8.0, 9.0, 9.0, 9.0])), b.floats(&rows([-1.0; 3])));
    let p = MeanRowsParams { tokens: 3, width: 4, sequence_rows: 3, skip: 1 };
    b.run(KernelId::MeanRows, &p, &[x, out], step(2));
    close(&f32s(&b.read(out)), &rows([1.5, 6.0, -1.0]));
    let error = b.try_run(KernelId::MeanRows, &MeanRowsParams { skip: 3, ..p }, &[x, out], step(2));
    assert!(error.is_err_and(|e| e.to_string().contains("left out and one is 4, and at most 3")));
}

/// A table of four places along a side, one of whose axes is resized: column `n` of the identity tells the weights of
/// place `n`.
#[test]
fn tables_are_resized_as_by_torch() {
    let goldens: [(usize, &[[f32; 4]]); 3] = [
        (3, &[[0.7, 0.3, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0], [0.0, 0.0, 0.3, 0.7]]),
        (2, &[[0.428_571, 0.428_571, 0.142_857, 0.0], [0.0, 0.142_857, 0.428_571, 0.428_571]]),
        (
            5,
            &[
                [1.0, 0.0, 0.0, 0.0],
                [0.3, 0.7, 0.0, 0.0],
                [0.0, 0.5, 0.5, 0.0],
                [0.0, 0.0, 0.7, 0.3],
                [0.0, 0.0, 0.0, 1.0],
            ],
        ),
    ];
    let one = |n: usize| std::array::from_fn::<f32, 4, _>(|i| if i == n { 1.0 } else { 0.0 });
    let mut b = Bench::new(CpuPlayer::plain());
    for (count, expected) in goldens {
        for down in [true, false] {
            let table: Vec<f32> = (0..16).flat_map(|at| one(if down { at / 4 } else { at % 4 })).collect();
            let (table, out) = (b.floats(&table), b.floats(&vec![-1.0; 4 * count]));
            let [rows, columns] = if down { [count as u32, 1] } else { [1, count as u32] };
            let p = ResizeTableParams { tokens: count as u32, width: 4, side: 4, rows, columns, ..Default::default() };
            b.run(KernelId::ResizeTable, &p, &[table, out], step(count as u32));
            close(&f32s(&b.read(out)), expected.as_flattened());
            // One place more would give other weights.
            let [rows, columns] = if down { [rows + 1, 1] } else { [1, columns + 1] };
            b.run(KernelId::ResizeTable, &ResizeTableParams { rows, columns, ..p }, &[table, out], step(count as u32));
            assert!(f32s(&b.read(out)).iter().zip(expected.as_flattened()).any(|(a, b)| (a - b).abs() > 0.1));
        }
    }
    let p = ResizeTableParams { tokens: 4, width: 4, side: 1, rows: 1, columns: 3, ..Default::default() };
    let (table, out) = (b.floats(&[1.0; 4]), b.floats(&[0.0; 16]));
    let error = b.try_run(KernelId::ResizeTable, &p, &[table, out], step(4));
    assert!(error.is_err_and(|e| e.to_string().contains("places of the grid is 4, and at most 3")));
}
