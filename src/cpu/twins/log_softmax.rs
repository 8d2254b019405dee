//! `log_softmax`: the log-probability of one chosen entry of every row.

use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::params::SelectParams;

/// `x[id] - log(sum of exp(x))`; nothing if `id` is no entry.
pub fn log_softmax(x: &[f32], id: u32) -> Option<f32> {
    let chosen = *x.get(id as usize)?;
    let max = x.iter().fold(f32::NEG_INFINITY, |max, &x| max.max(x));
    let sum: f64 = x.iter().map(|&x| f64::from(x - max).exp()).sum();
    Some((f64::from(chosen) - f64::from(max) - sum.ln()) as f32)
}

pub(in crate::cpu) fn run(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: SelectParams = call.params()?;
    let (tokens, vocab) = (call.tokens(p.tokens), p.vocab as usize);
    let logits = call.read::<f32>(0, size(&[tokens, vocab]))?;
    let ids = call.read::<u32>(1, tokens)?;
    let out = call.write::<f32>(2, tokens)?;
    for ((x, &id), out) in logits.chunks_exact(vocab.max(1)).zip(ids).zip(out) {
        *out = log_softmax(x, id).unwrap_or(*out);
    }
    Ok(())
}
