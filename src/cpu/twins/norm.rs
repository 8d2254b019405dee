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

/// `x / sqrt(mean of squares + eps) * (1 + weight)` over one row.
pub fn rms_norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    let square = mean(x.iter().map(|&v| f64::from(v).powi(2)));
    let scale = 1.0 / (square + f64::from(eps)).sqrt();
    for (i, out) in out.iter_mut().enumerate() {
        *out = (f64::from(x[i]) * scale * (1.0 + f64::from(weight[i]))) as f32;
    }
}

/// A norm over some rows of `width` elements.
#[derive(Debug, Clone, Copy)]
pub struct Norm<'a> {
    /// Elements of a row.
    pub width: usize,
    /// The rows.
    pub x: &'a [f32],
    /// One per column.
    pub weight: &'a [f32],
    /// One per column for LayerNorm; without it this is RMSNorm.
    pub bias: Option<&'a [f32]>,
    /// Added to the variance.
    pub eps: f32,
    /// Added to the result.
    pub residual: Option<&'a [f32]>,
}

impl Norm<'_> {
    /// Normalises every row.
    pub fn apply(&self, out: &mut [f32]) {
        let width = self.width.max(1);
        for (x, out) in self.x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            match self.bias {
                Some(bias) => layer_norm(x, self.weight, bias, self.eps, out),
                None => rms_norm(x, self.weight, self.eps, out),
            }
        }
        if let Some(residual) = self.residual {
            out.iter_mut().zip(residual).for_each(|(o, r)| *o += r);
        }
    }
}

fn bind<'b, 'a: 'b>(
    call: &mut Call<'a>,
    gathered: &'b mut Vec<f32>,
) -> Result<(Norm<'b>, NormParams, usize), CpuError> {
    let p: NormParams = call.params()?;
    let width = p.width as usize;
    let (tokens, x) = super::chosen_rows(call, p.tokens, [p.x_row, p.sequence_rows], width, gathered)?;
    let weight = call.read::<f32>(1, width)?;
    Ok((Norm { width, x, weight, bias: None, eps: p.eps, residual: None }, p, size(&[tokens, width])))
}

pub(in crate::cpu) fn bind_layer_norm<'b, 'a: 'b>(
    call: &mut Call<'a>,
    gathered: &'b mut Vec<f32>,
) -> Result<(Norm<'b>, &'a mut [f32]), CpuError> {
    let (mut op, _, count) = bind(call, gathered)?;
    op.bias = Some(call.read(2, op.width)?);
    Ok((op, call.write(3, count)?))
}

pub(in crate::cpu) fn bind_rms_norm<'b, 'a: 'b>(
    call: &mut Call<'a>,
    gathered: &'b mut Vec<f32>,
) -> Result<(Norm<'b>, &'a mut [f32]), CpuError> {
    let (mut op, p, count) = bind(call, gathered)?;
    op.residual = if p.residual != 0 { Some(call.read(2, count)?) } else { None };
    Ok((op, call.write(3, count)?))
}

pub(in crate::cpu) fn run_layer_norm(call: &mut Call<'_>) -> Result<(), CpuError> {
    let mut gathered = Vec::new();
    let (op, out) = bind_layer_norm(call, &mut gathered)?;
    op.apply(out);
    Ok(())
}

pub(in crate::cpu) fn run_rms_norm(call: &mut Call<'_>) -> Result<(), CpuError> {
    let mut gathered = Vec::new();
    let (op, out) = bind_rms_norm(call, &mut gathered)?;
    op.apply(out);
    Ok(())
}
