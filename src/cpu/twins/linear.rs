//! `matmul_tiled`, `matmul_regs`, `matvec`, `matvec_serial`: y = act(x w^T + bias) + residual.

use crate::cpu::call::{Call, size};
use crate::cpu::{CpuError, activation};
use crate::kernels::Activation;
use crate::kernels::params::LinearParams;
use crate::quant::{self, decode_row};
use crate::tensor::Dtype;

/// A weight matrix `[rows, k]` in one of the formats of `quant`.
#[derive(Debug, Clone, Copy)]
pub struct Weight<'a> {
    /// Its format.
    pub dtype: Dtype,
    /// Its rows.
    pub data: &'a [u8],
    /// Its scales, if the format has any.
    pub scales: &'a [u8],
    /// Bytes from row to row of `data`.
    pub row_bytes: usize,
    /// Scales from row to row.
    pub row_scales: usize,
}

impl<'a> Weight<'a> {
    /// The bytes and the scales of a row.
    pub fn row(&self, row: usize) -> (&'a [u8], &'a [u8]) {
        let scales = 2 * self.row_scales;
        (&self.data[row * self.row_bytes..][..self.row_bytes], &self.scales[row * scales..][..scales])
    }
}

/// One linear layer over `tokens` rows, or its part for one shard of the weight.
#[derive(Debug, Clone, Copy)]
pub struct Linear<'a> {
    /// Rows of `x`.
    pub tokens: usize,
    /// Elements of a row of `x`, `K`.
    pub k: usize,
    /// Rows of this shard of the weight.
    pub rows: usize,
    /// Columns of `out` before this shard's.
    pub first_column: usize,
    /// Columns of `out` in all.
    pub out_stride: usize,
    /// `[tokens, k]`.
    pub x: &'a [f32],
    /// The weight.
    pub weight: Weight<'a>,
    /// One per row of this shard.
    pub bias: Option<&'a [f32]>,
    /// `[tokens, out_stride]`.
    pub residual: Option<&'a [f32]>,
    /// What is done to a sum before the residual is added; rows come in pairs of gate and up where it is gated.
    pub activation: Activation,
}

impl Linear<'_> {
    /// Columns of `out` that this shard writes.
    pub fn columns(&self) -> usize {
        self.activation.width(self.rows)
    }
}

/// `out [tokens, out_stride]`: writes this shard's columns of every row and nothing else.
pub fn linear(op: &Linear<'_>, out: &mut [f32]) {
    let mut weights = vec![0.0; op.k];
    let mut sums = vec![0.0f32; op.tokens * op.rows];
    for n in 0..op.rows {
        let (data, scales) = op.weight.row(n);
        decode_row(op.weight.dtype, data, scales, &mut weights);
        for t in 0..op.tokens {
            let x = &op.x[t * op.k..][..op.k];
            let sum: f64 = x.iter().zip(&weights).map(|(x, w)| f64::from(*x) * f64::from(*w)).sum();
            sums[t * op.rows + n] = (sum + op.bias.map_or(0.0, |b| f64::from(b[n]))) as f32;
        }
    }
    for t in 0..op.tokens {
        let sums = &sums[t * op.rows..][..op.rows];
        for c in 0..op.columns() {
            let y = match op.activation {
                Activation::None => sums[c],
                Activation::Map(function) => activation::plain(function, sums[c]),
                Activation::Gated(function) => activation::plain(function, sums[2 * c]) * sums[2 * c + 1],
            };
            let at = t * op.out_stride + op.first_column + c;
            out[at] = y + op.residual.map_or(0.0, |r| r[at]);
        }
    }
}

/// Reads a call's bindings and parameters; the whole of `out` comes second.
///
/// Rows of `x` that lie apart are collected in `gathered`.
pub(in crate::cpu) fn bind<'b, 'a: 'b>(
    call: &mut Call<'a>,
    gathered: &'b mut Vec<f32>,
) -> Result<(Linear<'b>, &'a mut [f32]), CpuError> {
    let p: LinearParams = call.params()?;
    let dtype = call.weight_dtype()?;
    let activation = call.activation(p.act, p.gated, p.cap)?;
    let (k, rows, row_scales) = (p.k as usize, p.rows as usize, p.row_scales as usize);
    let layout = quant::layout(dtype, k);
    call.agree("words of a weight row", p.row_words as usize, layout.row_bytes / 4)?;
    call.agree("scales of a weight row", row_scales, layout.row_scales)?;
    let (first_row, out_stride) = (p.first_row as usize, p.out_stride as usize);
    let (first_column, columns) = (activation.width(first_row), activation.width(rows));
    call.at_most("columns of this shard", first_column.saturating_add(columns), out_stride)?;

    let (tokens, x) = super::chosen_rows(call, p.tokens, [p.x_row, p.sequence_rows], k, gathered)?;
    let skipped = p.weight_row as usize;
    let held = skipped.saturating_add(rows);
    let data = &call.read::<u8>(1, size(&[held, layout.row_bytes]))?[size(&[skipped, layout.row_bytes])..];
    let scaled = row_scales > 0;
    let scales = match scaled {
        true => &call.read::<u8>(2, size(&[held, row_scales, 2]))?[size(&[skipped, row_scales, 2])..],
        false => &[],
    };
    let next = 2 + usize::from(scaled);
    let bias =
        if p.bias != 0 { Some(&call.read::<f32>(next, first_row.saturating_add(rows))?[first_row..]) } else { None };
    let whole = size(&[tokens, out_stride]);
    let residual = if p.residual != 0 { Some(call.read(next + 1, whole)?) } else { None };
    let out = call.write(next + 2, whole)?;
    let weight = Weight { dtype, data, scales, row_bytes: layout.row_bytes, row_scales };
    Ok((Linear { tokens, k, rows, first_column, out_stride, x, weight, bias, residual, activation }, out))
}

pub(in crate::cpu) fn run(call: &mut Call<'_>) -> Result<(), CpuError> {
    let mut gathered = Vec::new();
    let (op, out) = bind(call, &mut gathered)?;
    linear(&op, out);
    Ok(())
}
