//! `argmax_partial`, `argmax_merge`: the best token and the log of the sum of exponentials, in two passes.

use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::params::SelectParams;

/// The index that stands for "none": no entries, or a logit that is not a number.
const NONE: u32 = u32::MAX;
/// The largest value of a chunk without entries.
const NOTHING: f32 = -3.0e38;

/// A chunk's summary as words: bits of the largest value, its index, bits of the sum of `exp(x - largest)`, 0.
///
/// A logit that is not a number makes the sum one that is none either.
pub fn summarise(x: &[f32], first: u32) -> [u32; 4] {
    let mut best = (NOTHING, NONE);
    for (i, &x) in x.iter().enumerate() {
        if x > best.0 {
            best = (x, first + i as u32);
        }
    }
    let sum: f64 = x.iter().map(|&x| f64::from(x - best.0).exp()).sum();
    [best.0.to_bits(), best.1, (sum as f32).to_bits(), 0]
}

/// The words index, bits of the logit, bits of log-sum-exp, 0, from the summaries of a row's chunks.
pub fn merge(parts: &[[u32; 4]]) -> [u32; 4] {
    let mut best = (NOTHING, NONE);
    for part in parts {
        let value = f32::from_bits(part[0]);
        if value > best.0 || (value == best.0 && part[1] < best.1) {
            best = (value, part[1]);
        }
    }
    let share =
        |part: &[u32; 4]| f64::from(f32::from_bits(part[0]) - best.0).exp() * f64::from(f32::from_bits(part[2]));
    let sum: f64 = parts.iter().map(share).sum();
    let index = if sum.is_finite() { best.1 } else { NONE };
    [index, best.0.to_bits(), ((f64::from(best.0) + sum.ln()) as f32).to_bits(), 0]
}

type Partial<'a> = (SelectParams, &'a [f32], &'a mut [[u32; 4]]);

pub(in crate::cpu) fn bind_partial<'a>(call: &mut Call<'a>) -> Result<Partial<'a>, CpuError> {
    let p: SelectParams = call.params()?;
    let tokens = call.tokens(p.tokens);
    call.at_most("entries of a row", p.vocab as usize, size(&[p.chunk as usize, p.chunks as usize]))?;
    let logits = call.read::<f32>(0, size(&[tokens, p.vocab as usize]))?;
    let partial = call.write::<[u32; 4]>(1, size(&[tokens, p.chunks as usize]))?;
    Ok((p, logits, partial))
}

pub(in crate::cpu) fn run_partial(call: &mut Call<'_>) -> Result<(), CpuError> {
    let (p, logits, partial) = bind_partial(call)?;
    each_chunk(&p, logits, partial, summarise);
    Ok(())
}

/// Applies `f` to every chunk of every row.
pub(in crate::cpu) fn each_chunk(
    p: &SelectParams,
    logits: &[f32],
    partial: &mut [[u32; 4]],
    f: impl Fn(&[f32], u32) -> [u32; 4],
) {
    let (vocab, chunk, chunks) = (p.vocab as usize, p.chunk as usize, p.chunks as usize);
    for (row, partial) in logits.chunks_exact(vocab.max(1)).zip(partial.chunks_exact_mut(chunks.max(1))) {
        for (c, partial) in partial.iter_mut().enumerate() {
            let first = (c * chunk).min(vocab);
            *partial = f(&row[first..(first + chunk).min(vocab)], p.first_id.saturating_add(first as u32));
        }
    }
}

pub(in crate::cpu) fn run_merge(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: SelectParams = call.params()?;
    let (tokens, chunks) = (call.tokens(p.tokens), p.chunks as usize);
    let partial = call.read::<[u32; 4]>(0, size(&[tokens, chunks]))?;
    let choice = call.write::<[u32; 4]>(1, tokens)?;
    let next_ids = call.write::<u32>(2, tokens)?;
    for ((parts, choice), id) in partial.chunks_exact(chunks.max(1)).zip(choice).zip(next_ids) {
        *choice = merge(parts);
        *id = if choice[0] == NONE { 0 } else { choice[0] };
    }
    Ok(())
}
