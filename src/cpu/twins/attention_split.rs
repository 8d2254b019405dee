//! `attention_split`, `attention_merge`: attention of one query, its keys split into parts that are merged afterwards.

use super::attention::{Attention, inputs, shared, weigh};
use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::params::DecodeAttentionParams;

/// What an empty part has for its largest score.
pub const EMPTY: f32 = -1e30;

/// `partial [H, splits, K + 2]`: largest score, sum of weights, weighted sum of values of each part.
pub fn split(op: &Attention<'_>, splits: usize, split_keys: usize, partial: &mut [f32]) {
    for (n, out) in partial.chunks_exact_mut(op.head_dim + 2).enumerate() {
        let (h, first) = (n / splits, (n % splits).saturating_mul(split_keys).min(op.keys));
        let (max, sum, values) = weigh(op, 0, h, first..first.saturating_add(split_keys).min(op.keys));
        out[0] = max as f32;
        out[1] = sum as f32;
        out[2..].iter_mut().zip(values).for_each(|(o, v)| *o = v as f32);
    }
}

/// `out [H, K]` from `partial [H, splits, K + 2]`.
pub fn merge(partial: &[f32], splits: usize, head_dim: usize, out: &mut [f32]) {
    for (h, out) in out.chunks_exact_mut(head_dim).enumerate() {
        let parts = || partial[h * splits * (head_dim + 2)..].chunks_exact(head_dim + 2).take(splits);
        let max = parts().fold(EMPTY, |max, part| max.max(part[0]));
        let weight = |part: &[f32]| f64::from(part[0] - max).exp();
        let sum: f64 = parts().map(|part| weight(part) * f64::from(part[1])).sum();
        for (i, out) in out.iter_mut().enumerate() {
            let value: f64 = parts().map(|part| weight(part) * f64::from(part[2 + i])).sum();
            *out = if sum == 0.0 { 0.0 } else { (value / sum) as f32 };
        }
    }
}

/// What a call of `attention_split` asks for: the attention, splits, keys per split, and where to write.
type Split<'a> = (Attention<'a>, usize, usize, &'a mut [f32]);

pub(in crate::cpu) fn bind_split<'a>(call: &mut Call<'a>) -> Result<Split<'a>, CpuError> {
    let p: DecodeAttentionParams = call.params()?;
    call.at_most("tokens of a decode pass", call.tokens(p.tokens), 1)?;
    let op = inputs(call, &shared(&p))?;
    let (splits, split_keys) = (p.splits as usize, p.split_keys as usize);
    call.at_most("keys of all splits", op.keys, size(&[splits, split_keys]))?;
    let count = if op.tokens == 0 { 0 } else { size(&[op.heads, splits, op.head_dim.saturating_add(2)]) };
    let partial = call.write::<f32>(3, count)?;
    Ok((op, splits, split_keys, partial))
}

pub(in crate::cpu) fn run_split(call: &mut Call<'_>) -> Result<(), CpuError> {
    let (op, splits, split_keys, partial) = bind_split(call)?;
    split(&op, splits, split_keys, partial);
    Ok(())
}

pub(in crate::cpu) fn run_merge(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: DecodeAttentionParams = call.params()?;
    let (heads, head_dim, splits) = (p.heads as usize, p.head_dim as usize, p.splits as usize);
    let tokens = call.tokens(p.tokens).min(1);
    let partial = call.read::<f32>(0, size(&[tokens, heads, splits, head_dim.saturating_add(2)]))?;
    let out = call.write::<f32>(1, size(&[tokens, heads, head_dim]))?;
    if head_dim > 0 {
        merge(partial, splits, head_dim, out);
    }
    Ok(())
}
