//! `prepend`, `select_rows`, `mean_rows`: rows put in front of, taken from and averaged over every sequence.

use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::params::{MeanRowsParams, PrependParams, SelectRowsParams};

/// `out[s] = prefix`, then `x[s]`.
pub(in crate::cpu) fn run_prepend(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: PrependParams = call.params()?;
    let (tokens, width) = (call.tokens(p.tokens), p.width as usize);
    let (prefix_rows, x_rows) = (p.prefix_rows as usize, p.x_rows as usize);
    let each = prefix_rows.saturating_add(x_rows);
    call.at_most("rows of sequences without one", if each == 0 { tokens } else { 0 }, 0)?;
    let prefix = call.read::<f32>(0, size(&[prefix_rows, width]))?;
    // The rows of x that come before row `tokens` of out.
    let last = (tokens % each.max(1)).saturating_sub(prefix_rows);
    let x = match x_rows {
        0 => &[],
        _ => call.read::<f32>(1, size(&[size(&[tokens / each, x_rows]).saturating_add(last), width]))?,
    };
    let out = call.write::<f32>(2, size(&[tokens, width]))?;
    for (t, out) in out.chunks_exact_mut(width.max(1)).enumerate() {
        let (sequence, row) = (t / each, t % each);
        match row.checked_sub(prefix_rows) {
            None => out.copy_from_slice(&prefix[row * width..][..width]),
            Some(row) => out.copy_from_slice(&x[(sequence * x_rows + row) * width..][..width]),
        }
    }
    Ok(())
}

/// `out[s, n] = x[s, first + n]`.
pub(in crate::cpu) fn run_select_rows(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: SelectRowsParams = call.params()?;
    let (tokens, width) = (call.tokens(p.tokens), p.width as usize);
    let (sequence_rows, first, rows) = (p.sequence_rows as usize, p.first as usize, p.rows as usize);
    call.at_most("rows of sequences without one", if rows == 0 { tokens } else { 0 }, 0)?;
    call.at_most("rows up to the last that is taken", first.saturating_add(rows), sequence_rows)?;
    let row = |t: usize| size(&[t / rows, sequence_rows]).saturating_add(first + t % rows);
    let end = if tokens == 0 { 0 } else { row(tokens - 1).saturating_add(1) };
    let x = call.read::<f32>(0, size(&[end, width]))?;
    let out = call.write::<f32>(1, size(&[tokens, width]))?;
    for (t, out) in out.chunks_exact_mut(width.max(1)).enumerate() {
        out.copy_from_slice(&x[row(t) * width..][..width]);
    }
    Ok(())
}

/// `out[s]` is the mean of `x[s, skip..]`.
pub(in crate::cpu) fn run_mean_rows(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: MeanRowsParams = call.params()?;
    let (tokens, width) = (call.tokens(p.tokens), p.width as usize);
    let (sequence_rows, skip) = (p.sequence_rows as usize, p.skip as usize);
    call.at_most("rows that are left out and one", skip.saturating_add(1), sequence_rows)?;
    let x = call.read::<f32>(0, size(&[tokens, sequence_rows, width]))?;
    let out = call.write::<f32>(1, size(&[tokens, width]))?;
    let mut sums = vec![0.0; width];
    let sequences = x.chunks_exact(size(&[sequence_rows, width]).max(1));
    for (sequence, out) in sequences.zip(out.chunks_exact_mut(width.max(1))) {
        sums.fill(0.0);
        for row in sequence.chunks_exact(width).skip(skip) {
            sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
        }
        out.iter_mut().zip(&sums).for_each(|(out, sum)| *out = (sum / (sequence_rows - skip) as f64) as f32);
    }
    Ok(())
}
