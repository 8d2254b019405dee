//! `attention_split`, `attention_merge`: attention of one query, its keys split into parts that are merged afterwards.

use super::attention::{Attention, inputs, weigh};
use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::params::AttentionParams;

/// What an empty part has for its largest score.
pub const EMPTY: f32 = -1e30;

/// Elements of a part before its values: largest score, sum of weights, 0, 0.
pub const HEAD: usize = 4;

/// `partial [H, splits, 4 + K]`: largest score, sum of weights, 0, 0, weighted sum of values of each part.
pub fn split(op: &Attention<'_>, splits: usize, split_keys: usize, partial: &mut [f32]) {
    for (n, out) in partial.chunks_exact_mut(HEAD + op.head_dim).enumerate() {
        let (h, first) = (n / splits, (n % splits).saturating_mul(split_keys).min(op.keys));
        let (max, sum, values) = weigh(op, 0, h, first..first.saturating_add(split_keys).min(op.keys));
        out[..HEAD].copy_from_slice(&[max as f32, sum as f32, 0.0, 0.0]);
        out[HEAD..].iter_mut().zip(values).for_each(|(o, v)| *o = v as f32);
    }
}

/// `out [H, K]` from `partial [H, splits, 4 + K]`.
pub fn merge(partial: &[f32], splits: usize, head_dim: usize, out: &mut [f32]) {
    for (h, out) in out.chunks_exact_mut(head_dim).enumerate() {
        let parts = || {
            partial[h * splits * (HEAD + head_dim)..]
                .chunks_exact(HEAD + head_dim)
                .take(splits)
                .filter(|part| part[1] > 0.0)
        };
        let max = parts().fold(EMPTY, |max, part| max.max(part[0]));
        let weight = |part: &[f32]| f64::from(part[0] - max).exp();
        let sum: f64 = parts().map(|part| weight(part) * f64::from(part[1])).sum();
        for (i, out) in out.iter_mut().enumerate() {
            let value: f64 = parts().map(|part| weight(part) * f64::from(part[HEAD + i])).sum();
            *out = if sum == 0.0 { 0.0 } else { (value / sum) as f32 };
        }
    }
}

/// What a call of `attention_split` asks for: the attention, splits, keys per split, and where to write.
type Split<'a> = (Attention<'a>, usize, usize, &'a mut [f32]);

pub(in crate::cpu) fn bind_split<'a>(call: &mut Call<'a>) -> Result<Split<'a>, CpuError> {
    let p: AttentionParams = call.params()?;
    call.at_most("tokens of a decode pass", call.tokens(p.tokens), 1)?;
    let op = inputs(call, &p)?;
    let (splits, split_keys) = (p.splits as usize, p.split_keys as usize);
    call.at_most("keys of all splits", op.keys, size(&[splits, split_keys]))?;
    let count = if op.tokens == 0 { 0 } else { size(&[op.heads, splits, op.head_dim.saturating_add(HEAD)]) };
    let partial = call.write::<f32>(3, count)?;
    Ok((op, splits, split_keys, partial))
}

pub(in crate::cpu) fn run_split(call: &mut Call<'_>) -> Result<(), CpuError> {
    let (op, splits, split_keys, partial) = bind_split(call)?;
    split(&op, splits, split_keys, partial);
    Ok(())
}

pub(in crate::cpu) fn run_merge(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: AttentionParams = call.params()?;
    let (heads, head_dim, splits) = (p.heads as usize, p.head_dim as usize, p.splits as usize);
    let tokens = call.tokens(p.tokens).min(1);
    let partial = call.read::<f32>(0, size(&[tokens, heads, splits, head_dim.saturating_add(HEAD)]))?;
    let out = call.write::<f32>(1, size(&[tokens, heads, head_dim]))?;
    if head_dim > 0 {
        merge(partial, splits, head_dim, out);
    }
    Ok(())
}
