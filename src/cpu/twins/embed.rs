//! `embed`: rows of a table by token id, times a constant.

use super::PICTURE;
use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::params::EmbedParams;
use crate::quant::{self, decode_row};

/// Writes `table[id - first_row] * scale` to the rows whose id lies in this shard; ids of the picture lie in none.
pub(in crate::cpu) fn run(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: EmbedParams = call.params()?;
    let dtype = call.weight_dtype()?;
    let (tokens, width, rows) = (call.tokens(p.tokens), p.width as usize, p.rows as usize);
    let layout = quant::layout(dtype, width);
    call.agree("words of a weight row", p.row_words as usize, layout.row_bytes / 4)?;
    call.agree("scales of a weight row", p.row_scales as usize, layout.row_scales)?;
    let ids = call.read::<u32>(0, tokens)?;
    let data = call.read::<u8>(1, size(&[rows, layout.row_bytes]))?;
    let scaled = layout.row_scales > 0;
    let scales = if scaled { call.read::<u8>(2, size(&[rows, layout.row_scales, 2]))? } else { &[] };
    let out = call.write::<f32>(2 + usize::from(scaled), size(&[tokens, width]))?;
    for (&id, out) in ids.iter().zip(out.chunks_exact_mut(width.max(1))) {
        if id & PICTURE == 0 && id >= p.first_row && id - p.first_row < p.rows {
            let row = (id - p.first_row) as usize;
            let scales = &scales[row * layout.row_scales * 2..];
            decode_row(dtype, &data[row * layout.row_bytes..][..layout.row_bytes], scales, out);
            out.iter_mut().for_each(|x| *x *= p.scale);
        }
    }
    Ok(())
}
