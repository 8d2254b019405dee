//! `resize_table`: a square table resized by a separable triangle filter.

use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::params::ResizeTableParams;

/// The weights of `from` places for place `n` of `count`, those that are not 0 by their place; their sum is 1.
fn weights(n: usize, count: usize, from: usize) -> Vec<(usize, f64)> {
    let scale = from as f64 / count as f64;
    let center = (n as f64 + 0.5) * scale - 0.5;
    let weight = |j: usize| (1.0 - (j as f64 - center).abs() / scale.max(1.0)).max(0.0);
    let total: f64 = (0..from).map(weight).sum();
    (0..from).map(|j| (j, weight(j) / total)).filter(|&(_, weight)| weight > 0.0).collect()
}

/// `out[y, x]` is the sum of `weights(y)[j] * weights(x)[i] * table[j, i]`.
pub(in crate::cpu) fn run(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: ResizeTableParams = call.params()?;
    let (tokens, width) = (call.tokens(p.tokens), p.width as usize);
    let (side, rows, columns) = (p.side as usize, p.rows as usize, p.columns as usize);
    call.at_most("places of the grid", tokens, size(&[rows, columns]))?;
    let table = call.read::<f32>(0, size(&[side, side, width]))?;
    let out = call.write::<f32>(1, size(&[tokens, width]))?;
    let across: Vec<_> = (0..columns.min(tokens)).map(|x| weights(x, columns, side)).collect();
    let mut sums = vec![0.0; width];
    for (row, out) in out.chunks_mut(size(&[columns, width]).max(1)).enumerate() {
        let down = weights(row, rows, side);
        for (across, out) in across.iter().zip(out.chunks_exact_mut(width)) {
            sums.fill(0.0);
            for (j, wy) in &down {
                for (i, wx) in across {
                    let place = &table[(j * side + i) * width..][..width];
                    sums.iter_mut().zip(place).for_each(|(sum, x)| *sum += wy * wx * f64::from(*x));
                }
            }
            out.iter_mut().zip(&sums).for_each(|(out, sum)| *out = *sum as f32);
        }
    }
    Ok(())
}
