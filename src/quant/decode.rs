use half::f16;

use super::{BLOCK, QuantError, layout, q4, q8};
use crate::tensor::Dtype;

/// Decodes rows of `k` elements to f32, without their padding.
///
/// # Errors
/// `data` or `scales` is shorter than `rows` rows need.
pub fn decode_rows(dtype: Dtype, data: &[u8], scales: &[u8], rows: usize, k: usize) -> Result<Vec<f32>, QuantError> {
    let layout = layout(dtype, k);
    let least = |what, found: usize, expected: usize| {
        if found < expected { Err(QuantError::Size { what, expected, found }) } else { Ok(()) }
    };
    least("bytes of weight data", data.len(), layout.data_bytes(rows))?;
    least("bytes of weight scales", scales.len(), layout.row_scales * rows * 2)?;
    let mut out = vec![0.0; rows * k];
    if k == 0 {
        return Ok(out);
    }
    for (row, out) in out.chunks_exact_mut(k).enumerate() {
        let data = &data[row * layout.row_bytes..][..layout.row_bytes];
        decode_row(dtype, data, &scales[row * layout.row_scales * 2..], out);
    }
    Ok(out)
}

/// Decodes the first `out.len()` elements of one row; `data` and `scales` start at the row.
pub fn decode_row(dtype: Dtype, data: &[u8], scales: &[u8], out: &mut [f32]) {
    match dtype {
        Dtype::F32 => {
            let out: &mut [u8] = bytemuck::cast_slice_mut(out);
            out.copy_from_slice(&data[..out.len()]);
        }
        Dtype::F16 => {
            out.iter_mut().zip(data.chunks_exact(2)).for_each(|(o, b)| *o = f16::from_le_bytes([b[0], b[1]]).to_f32());
        }
        Dtype::Q8 => decode_blocks(data, scales, out, BLOCK, q8::decode_block),
        Dtype::Q4 => decode_blocks(data, scales, out, BLOCK / 2, q4::decode_block),
    }
}

fn decode_blocks(data: &[u8], scales: &[u8], out: &mut [f32], bytes: usize, block: fn(&[u8], f16, &mut [f32])) {
    let mut values = [0.0; BLOCK];
    for ((out, data), scale) in out.chunks_mut(BLOCK).zip(data.chunks_exact(bytes)).zip(scales.chunks_exact(2)) {
        block(data, f16::from_le_bytes([scale[0], scale[1]]), &mut values);
        out.copy_from_slice(&values[..out.len()]);
    }
}
