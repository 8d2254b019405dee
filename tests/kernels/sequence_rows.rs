//! Kernels over whole sequences: rows put in front of them, taken from them and averaged, and tables for their positions.

use ocelli::kernels::params::{MeanRowsParams, PrependParams, ResizeTableParams, SelectRowsParams};
use ocelli::kernels::{KernelId, Step};

use crate::case::{KernelCase, dispatch, given, rows_up_to, written_of};
use crate::random::Random;
use crate::tolerance::{EXACT, SUMMED};

pub fn cases() -> Vec<KernelCase> {
    let mut cases = Vec::new();
    for width in [4, 36, 260] {
        cases.extend([(1, 0), (1, 1), (1, 5), (3, 7), (5, 2), (2, 0)].map(|rows| prepend(width, rows)));
        cases.extend([(1, 0, 1), (7, 0, 1), (7, 6, 1), (7, 2, 5), (9, 3, 4)].map(|rows| select_rows(width, rows)));
        cases.extend([(1, 0), (7, 0), (7, 6), (33, 5)].map(|rows| mean_rows(width, rows)));
    }
    let grids = [[4, 4], [4, 3], [2, 5], [1, 1], [9, 1], [1, 11], [3, 13]];
    cases.extend(grids.map(|grid| resize_table(4, grid, 36)));
    cases.extend([[14, 18], [74, 3], [1, 236], [7, 7]].map(|grid| resize_table(16, grid, 4)));
    cases.extend([[1, 1], [3, 2]].map(|grid| resize_table(1, grid, 260)));
    cases
}

/// Three sequences of which the last lacks its last row, in a plan for a fourth.
fn step(sequence_rows: usize) -> (usize, usize, Step) {
    let valid = 3 * sequence_rows - usize::from(sequence_rows > 1);
    (4 * sequence_rows, valid, Step::one(0, valid as u32, 0, 0))
}

fn prepend(width: usize, (prefix_rows, x_rows): (usize, usize)) -> KernelCase {
    let label = format!("prepend {prefix_rows} to {x_rows} D={width}");
    let mut random = Random::new(&label);
    let (rows, valid, step) = step(prefix_rows + x_rows);
    // The last row of a sequence is one of x, if it has any.
    let x_valid = if x_rows == 0 { 0 } else { 3 * x_rows - 1 };
    let operands = vec![
        given(&random.floats(prefix_rows * width)),
        rows_up_to(&mut random, x_valid, 4 * x_rows, width),
        written_of(rows * width, valid * width),
    ];
    let params = PrependParams {
        tokens: rows as u32,
        width: width as u32,
        prefix_rows: prefix_rows as u32,
        x_rows: x_rows as u32,
    };
    let dispatches = vec![dispatch(KernelId::Prepend, 3, &params, [width.div_ceil(256), rows, 1])];
    KernelCase { label, operands, dispatches, step, tolerance: EXACT }
}

fn select_rows(width: usize, (sequence_rows, first, count): (usize, usize, usize)) -> KernelCase {
    let label = format!("select_rows {first} and {count} of {sequence_rows} D={width}");
    let mut random = Random::new(&label);
    let (rows, valid, step) = step(count);
    let operands = vec![
        rows_up_to(&mut random, 3 * sequence_rows, 4 * sequence_rows, width),
        written_of(rows * width, valid * width),
    ];
    let params = SelectRowsParams {
        tokens: rows as u32,
        width: width as u32,
        sequence_rows: sequence_rows as u32,
        first: first as u32,
        rows: count as u32,
        ..Default::default()
    };
    let dispatches = vec![dispatch(KernelId::SelectRows, 2, &params, [width.div_ceil(256), rows, 1])];
    KernelCase { label, operands, dispatches, step, tolerance: EXACT }
}

fn mean_rows(width: usize, (sequence_rows, skip): (usize, usize)) -> KernelCase {
    let label = format!("mean_rows from {skip} of {sequence_rows} D={width}");
    let mut random = Random::new(&label);
    let operands =
        vec![rows_up_to(&mut random, 3 * sequence_rows, 4 * sequence_rows, width), written_of(4 * width, 3 * width)];
    let params =
        MeanRowsParams { tokens: 4, width: width as u32, sequence_rows: sequence_rows as u32, skip: skip as u32 };
    let dispatches = vec![dispatch(KernelId::MeanRows, 2, &params, [width.div_ceil(128), 4, 1])];
    KernelCase { label, operands, dispatches, step: Step::one(0, 3, 0, 0), tolerance: SUMMED }
}

fn resize_table(side: usize, [rows, columns]: [usize; 2], width: usize) -> KernelCase {
    let label = format!("resize_table {side}x{side} to {rows}x{columns} D={width}");
    let mut random = Random::new(&label);
    let places = rows * columns;
    let valid = places.div_ceil(2);
    let operands = vec![given(&random.floats(side * side * width)), written_of(places * width, valid * width)];
    let params = ResizeTableParams {
        tokens: places as u32,
        width: width as u32,
        side: side as u32,
        rows: rows as u32,
        columns: columns as u32,
        ..Default::default()
    };
    let dispatches = vec![dispatch(KernelId::ResizeTable, 2, &params, [width.div_ceil(128), places, 1])];
    KernelCase { label, operands, dispatches, step: Step::one(0, valid as u32, 0, 0), tolerance: SUMMED }
}
