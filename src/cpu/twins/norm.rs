//! `layer_norm` and `rms_norm`.

use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::params::NormParams;

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

/// `(x - mean) / sqrt(variance + eps) * weight + bias` over one row.
pub fn layer_norm(x: &[f32], weight: &[f32], bias: &[f32], eps: f32, out: &mut [f32]) {
    let centre = mean(x.iter().map(|&v| f64::from(v)));
    let variance = mean(x.iter().map(|&v| (f64::from(v) - centre).powi(2)));
    let scale = 1.0 / (variance + f64::from(eps)).sqrt();
    for (i, out) in out.iter_mut().enumerate() {
        *out = ((f64::from(x[i]) - centre) * scale * f64::from(weight[i]) + f64::from(bias[i])) as f32;
    }
}

/// `x / sqrt(mean of squares + eps) * (weight + shift)` over one row; `shift` is 1 for Gemma.
pub fn rms_norm(x: &[f32], weight: &[f32], shift: f32, eps: f32, out: &mut [f32]) {
    let square = mean(x.iter().map(|&v| f64::from(v).powi(2)));
    let scale = 1.0 / (square + f64::from(eps)).sqrt();
    for (i, out) in out.iter_mut().enumerate() {
        *out = (f64::from(x[i]) * scale * (f64::from(weight[i]) + f64::from(shift))) as f32;
    }
}

pub(in crate::cpu) fn run_layer_norm(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: NormParams = call.params()?;
    let width = p.width as usize;
    let (first, tokens) = super::rows_from(call, p.tokens, p.x_row);
    let x = &call.read::<f32>(0, size(&[first.saturating_add(tokens), width]))?[first * width..];
    let (weight, bias) = (call.read::<f32>(1, width)?, call.read::<f32>(2, width)?);
    let out = call.write::<f32>(3, size(&[tokens, width]))?;
    for (x, out) in x.chunks_exact(width.max(1)).zip(out.chunks_exact_mut(width.max(1))) {
        layer_norm(x, weight, bias, p.eps, out);
    }
    Ok(())
}

pub(in crate::cpu) fn run_rms_norm(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: NormParams = call.params()?;
    let width = p.width as usize;
    let (first, tokens) = super::rows_from(call, p.tokens, p.x_row);
    let x = &call.read::<f32>(0, size(&[first.saturating_add(tokens), width]))?[first * width..];
    let weight = call.read::<f32>(1, width)?;
    let shift = if call.setting("plus_one").unwrap_or(1) != 0 { 1.0 } else { 0.0 };
    let residual = if call.on("residual") { Some(call.read::<f32>(2, size(&[tokens, width]))?) } else { None };
    let out = call.write::<f32>(3, size(&[tokens, width]))?;
    for (x, out) in x.chunks_exact(width.max(1)).zip(out.chunks_exact_mut(width.max(1))) {
        rms_norm(x, weight, shift, p.eps, out);
    }
    if let Some(residual) = residual {
        out.iter_mut().zip(residual).for_each(|(o, r)| *o += r);
    }
    Ok(())
}
