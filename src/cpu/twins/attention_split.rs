//! `attention_split`, `attention_merge`: attention of one query, its keys split into parts that are merged afterwards.

use super::attention::{Attention, Sequences, bind_sequences, weigh};
use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::Sequence;
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

/// What a call of `attention_split` asks for: the attentions, splits, keys per split, and where to write.
type Split<'a> = (Sequences<'a>, usize, usize, &'a mut [f32]);

/// Elements of the parts of one query.
pub(in crate::cpu) fn part_width(p: &AttentionParams) -> usize {
    size(&[p.heads as usize, p.splits as usize, (p.head_dim as usize).saturating_add(HEAD)])
}

pub(in crate::cpu) fn bind_split<'a>(call: &mut Call<'a>) -> Result<Split<'a>, CpuError> {
    let sequences = bind_sequences(call)?;
    call.at_most("queries of a sequence in decode", sequences.rows(), 1)?;
    let (splits, split_keys) = (sequences.params.splits as usize, sequences.params.split_keys as usize);
    for n in 0..sequences.count() {
        call.at_most("keys of all splits", sequences.attention(n).keys, size(&[splits, split_keys]))?;
    }
    let partial = call.write::<f32>(4, sequences.outputs(part_width(&sequences.params)))?;
    Ok((sequences, splits, split_keys, partial))
}

pub(in crate::cpu) fn run_split(call: &mut Call<'_>) -> Result<(), CpuError> {
    let (sequences, splits, split_keys, partial) = bind_split(call)?;
    sequences.each(part_width(&sequences.params), partial, |op, partial| split(op, splits, split_keys, partial));
    Ok(())
}

pub(in crate::cpu) fn run_merge(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: AttentionParams = call.params()?;
    let (heads, head_dim, splits) = (p.heads as usize, p.head_dim as usize, p.splits as usize);
    let valid = |(n, sequence): (usize, &Sequence)| if sequence.tokens > 0 { n + 1 } else { 0 };
    let sequences = call.step.sequences().iter().take(p.tokens as usize).enumerate();
    let rows = sequences.map(valid).max().unwrap_or(0);
    let partial = call.read::<f32>(0, size(&[rows, part_width(&p)]))?;
    let out = call.write::<f32>(1, size(&[rows, heads, head_dim]))?;
    if head_dim == 0 || splits == 0 {
        return Ok(());
    }
    let rows = partial.chunks_exact(part_width(&p)).zip(out.chunks_exact_mut(heads * head_dim));
    for ((partial, out), sequence) in rows.zip(call.step.sequences()) {
        if sequence.tokens > 0 {
            merge(partial, splits, head_dim, out);
        }
    }
    Ok(())
}
