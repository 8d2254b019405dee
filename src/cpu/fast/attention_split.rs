//! Attention of one query over a run of keys.

use std::ops::Range;

use super::simd::{self, Kernel, Simd, launch};
use super::tile;
use super::workspace::{Workspace, room};
use crate::cpu::CpuError;
use crate::cpu::activation::softcap_lanes;
use crate::cpu::call::Call;
use crate::cpu::twins::attention::Attention;
use crate::cpu::twins::attention_split::{self as twin, EMPTY, HEAD, bind_split, part_width};
use crate::tensor::Dtype;

pub(super) fn run(call: &mut Call<'_>, workspace: &mut Workspace) -> Result<(), CpuError> {
    let (sequences, splits, split_keys, partial) = bind_split(call)?;
    let width = part_width(&sequences.params);
    sequences.each(width, partial, |op, partial| split(op, splits, split_keys, partial, workspace));
    Ok(())
}

/// The same as [`twins::attention_split::split`](twin::split).
pub fn split(op: &Attention<'_>, splits: usize, split_keys: usize, partial: &mut [f32], workspace: &mut Workspace) {
    if op.head_dim.is_multiple_of(4) {
        launch(Split { op, splits, split_keys, partial, scores: &mut workspace.shared });
    } else {
        twin::split(op, splits, split_keys, partial);
    }
}

struct Split<'a, 'b> {
    op: &'a Attention<'a>,
    splits: usize,
    split_keys: usize,
    partial: &'b mut [f32],
    scores: &'b mut Vec<f32>,
}

impl Kernel for Split<'_, '_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { op, splits, split_keys, partial, scores } = self;
        let seen = op.visible.run(op.position, op.keys);
        for (n, out) in partial.chunks_exact_mut(HEAD + op.head_dim).enumerate() {
            let first = (n % splits).saturating_mul(split_keys);
            let keys = seen.start.max(first)..seen.end.min(first.saturating_add(split_keys));
            let (head, values) = out.split_at_mut(HEAD);
            // SAFETY: the caller's machine.
            let (largest, sum) = unsafe { weigh::<S>(op, 0, n / splits, keys, values, scores) };
            head.copy_from_slice(&[largest, sum, 0.0, 0.0]);
        }
    }
}

/// Weighted sum of the values of a run of keys that are all seen, into `out`; gives the largest score and the sum of
/// the weights.
///
/// # Safety
/// The machine has the backend's instructions. `out.len()` is the head's size, a multiple of four.
#[inline(always)]
pub(super) unsafe fn weigh<S: Simd>(
    op: &Attention<'_>,
    t: usize,
    h: usize,
    keys: Range<usize>,
    out: &mut [f32],
    scores: &mut Vec<f32>,
) -> (f32, f32) {
    out.fill(0.0);
    if keys.is_empty() {
        return (EMPTY, 0.0);
    }
    let (first, count) = (keys.start, keys.len());
    // Whole vectors of scores; those beyond the last key weigh nothing.
    let scores = room(scores, count.next_multiple_of(8));
    let query = op.query(t, h);
    assert!(out.len() == query.len() && query.len().is_multiple_of(4));
    // SAFETY: the caller's machine; a query, a key and a value have `out.len()` elements, and scores come in
    // eights.
    unsafe {
        for (part, scores) in scores.chunks_exact_mut(4).enumerate() {
            // The last key stands in for those beyond it.
            let keys = std::array::from_fn(|r| op.key(first + (4 * part + r).min(count - 1), h));
            let four = tile::dot_float_rows::<S>(Dtype::F32, keys.map(bytemuck::cast_slice), query);
            scores.iter_mut().zip(four).for_each(|(score, dot)| *score = dot * op.scale);
        }
        if op.softcap != 0.0 {
            for part in scores.chunks_exact_mut(8) {
                S::store(part.as_mut_ptr(), softcap_lanes::<S>(S::load(part.as_ptr()), op.softcap));
            }
        }
        if let Some(bias) = op.bias {
            for (n, score) in scores[..count].iter_mut().enumerate() {
                *score += bias.of(op.position + t, first + n, h);
            }
        }
        scores[count..].fill(-3.0e38);
        let largest = scores[..count].iter().fold(EMPTY, |a, &b| if b > a { b } else { a });
        let mut total = S::splat(0.0);
        for part in scores.chunks_exact_mut(8) {
            let weight = simd::exp::<S>(S::sub(S::load(part.as_ptr()), S::splat(largest)));
            S::store(part.as_mut_ptr(), weight);
            total = S::add(total, weight);
        }
        let values = |j: usize| op.value(first + j, h);
        let whole = out.len() / 32 * 32;
        for (d, out) in out[..whole].chunks_exact_mut(32).enumerate() {
            columns::<S, 4>(&scores[..count], |j| &values(j)[32 * d..][..32], out);
        }
        let eights = out.len() / 8 * 8;
        for (d, out) in out[whole..eights].chunks_exact_mut(8).enumerate() {
            columns::<S, 1>(&scores[..count], |j| &values(j)[whole + 8 * d..][..8], out);
        }
        let rest = &mut out[eights..];
        if !rest.is_empty() {
            for (j, weight) in scores[..count].iter().enumerate() {
                rest.iter_mut().zip(&values(j)[eights..]).for_each(|(out, value)| *out += weight * value);
            }
        }
        (largest, S::sum(total))
    }
}

/// `N` vectors of columns of the weighted sum: whole lines of the values, since rows a power of two apart push each
/// other out of the cache before their next columns are asked for.
///
/// # Safety
/// The machine has the backend's instructions; `out` and every row of `values` have `8 N` elements.
#[inline(always)]
unsafe fn columns<'a, S: Simd, const N: usize>(weights: &[f32], values: impl Fn(usize) -> &'a [f32], out: &mut [f32]) {
    // SAFETY: the caller's machine and lengths.
    unsafe {
        let mut acc = [S::splat(0.0); N];
        for (j, weight) in weights.iter().enumerate() {
            let (value, weight) = (values(j).as_ptr(), S::splat(*weight));
            for (n, acc) in acc.iter_mut().enumerate() {
                *acc = S::mul_add(S::load(value.add(8 * n)), weight, *acc);
            }
        }
        for (n, acc) in acc.into_iter().enumerate() {
            S::store(out.as_mut_ptr().add(8 * n), acc);
        }
    }
}
