//! Attention of one query over a run of keys.

use std::ops::Range;

use super::simd::{self, Kernel, Simd, launch};
use super::workspace::{Workspace, room};
use crate::cpu::CpuError;
use crate::cpu::call::Call;
use crate::cpu::twins::attention::Attention;
use crate::cpu::twins::attention_split::{self as twin, EMPTY, HEAD, bind_split};

pub(super) fn run(call: &mut Call<'_>, workspace: &mut Workspace) -> Result<(), CpuError> {
    let (op, splits, split_keys, partial) = bind_split(call)?;
    split(&op, splits, split_keys, partial, workspace);
    Ok(())
}

/// The same as [`twins::attention_split::split`](twin::split).
pub fn split(op: &Attention<'_>, splits: usize, split_keys: usize, partial: &mut [f32], workspace: &mut Workspace) {
    if op.head_dim.is_multiple_of(8) {
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
/// The machine has the backend's instructions. `out.len()` is the head's size, a multiple of eight.
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
    scores[count..].fill(-3.0e38);
    let query = op.query(t, h);
    assert!(out.len() == query.len() && query.len().is_multiple_of(8));
    // SAFETY: the caller's machine; a query, a key and a value have `out.len()` elements, and scores come in eights.
    unsafe {
        for (j, score) in scores[..count].iter_mut().enumerate() {
            let key = op.key(first + j, h);
            let mut dot = [S::splat(0.0); 2];
            for d in (0..query.len()).step_by(8) {
                let (q, k) = (S::load(query.as_ptr().add(d)), S::load(key.as_ptr().add(d)));
                dot[d / 8 % 2] = S::mul_add(q, k, dot[d / 8 % 2]);
            }
            *score = S::sum(S::add(dot[0], dot[1])) * op.scale;
        }
        if op.softcap != 0.0 {
            for part in scores.chunks_exact_mut(8) {
                let capped = simd::tanh::<S>(S::div(S::load(part.as_ptr()), S::splat(op.softcap)));
                S::store(part.as_mut_ptr(), S::mul(capped, S::splat(op.softcap)));
            }
            scores[count..].fill(-3.0e38);
        }
        let largest = scores[..count].iter().fold(EMPTY, |a, &b| if b > a { b } else { a });
        let mut total = S::splat(0.0);
        for part in scores.chunks_exact_mut(8) {
            let weight = simd::exp::<S>(S::sub(S::load(part.as_ptr()), S::splat(largest)));
            S::store(part.as_mut_ptr(), weight);
            total = S::add(total, weight);
        }
        for (d, out) in out.chunks_exact_mut(8).enumerate() {
            let mut acc = [S::splat(0.0); 2];
            for (j, weight) in scores[..count].iter().enumerate() {
                let value = S::load(op.value(first + j, h).as_ptr().add(8 * d));
                acc[j % 2] = S::mul_add(value, S::splat(*weight), acc[j % 2]);
            }
            S::store(out.as_mut_ptr(), S::add(acc[0], acc[1]));
        }
        (largest, S::sum(total))
    }
}
