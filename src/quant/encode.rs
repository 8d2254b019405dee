use half::f16;

use super::{BLOCK, QuantError, layout, q4, q8};
use crate::base::{ceil_div, round_up};
use crate::tensor::Dtype;

/// Rows of a weight matrix as a device holds them; see [`layout`] for the arrangement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// [`Layout::data_bytes`](super::Layout::data_bytes) bytes.
    pub data: Vec<u8>,
    /// Little-endian f16 scales, [`Layout::scale_bytes`](super::Layout::scale_bytes) bytes; empty for f32 and f16.
    pub scales: Vec<u8>,
}

/// Encodes rows of `k` elements, `rows` holding whole rows one after the other.
///
/// A large matrix is encoded a few rows at a time; parts with an even number of rows join without a gap, because their
/// scales fill whole 32-bit words.
///
/// # Errors
/// A weight that is not finite or does not fit the format (its row counts from the first row given), or a partial row.
pub fn encode_rows(dtype: Dtype, rows: &[f32], k: usize) -> Result<Encoded, QuantError> {
    if k == 0 || !rows.len().is_multiple_of(k) {
        let expected = round_up(rows.len().max(1), k.max(1));
        return Err(QuantError::Size { what: "elements in whole rows", expected, found: rows.len() });
    }
    let layout = layout(dtype, k);
    let count = rows.len() / k;
    let mut data = vec![0u8; layout.data_bytes(count)];
    let mut scales = vec![0u8; layout.scale_bytes(count)];
    let encode_row = |row: usize, x: &[f32], data: &mut [u8], scales: &mut [u8]| {
        check(dtype, row, x)?;
        match dtype {
            Dtype::F32 => {
                data.chunks_exact_mut(4).zip(x).for_each(|(d, x)| d.copy_from_slice(&x.to_le_bytes()));
            }
            Dtype::F16 => {
                for (d, &x) in data.chunks_exact_mut(2).zip(x) {
                    d.copy_from_slice(&f16::from_f32(x).to_le_bytes());
                }
            }
            Dtype::Q8 => encode_blocks(x, data, scales, BLOCK, q8::encode_block),
            Dtype::Q4 => encode_blocks(x, data, scales, BLOCK / 2, q4::encode_block),
        }
        Ok(())
    };
    if layout.row_scales == 0 {
        for (row, (x, data)) in rows.chunks_exact(k).zip(data.chunks_exact_mut(layout.row_bytes)).enumerate() {
            encode_row(row, x, data, &mut [])?;
        }
    } else {
        each_row((rows, k), (&mut data, layout.row_bytes), (&mut scales, layout.row_scales * 2), encode_row)?;
    }
    Ok(Encoded { data, scales })
}

/// Gives `f` each row's number, elements, bytes and scales, each slice coming with what one row has of it.
///
/// Rows are spread over all cores, since trying scales takes far longer than reading them. The first row's error
/// counts.
fn each_row(
    (rows, k): (&[f32], usize),
    (data, row_bytes): (&mut [u8], usize),
    (scales, row_scales): (&mut [u8], usize),
    f: impl Fn(usize, &[f32], &mut [u8], &mut [u8]) -> Result<(), QuantError> + Sync,
) -> Result<(), QuantError> {
    #[cfg(feature = "threads")]
    let error = {
        use rayon::prelude::*;
        let parts = rows.par_chunks_exact(k).zip(data.par_chunks_exact_mut(row_bytes));
        let parts = parts.zip(scales.par_chunks_exact_mut(row_scales)).enumerate();
        parts.find_map_first(|(row, ((x, data), scales))| f(row, x, data, scales).err())
    };
    #[cfg(not(feature = "threads"))]
    let error = {
        let parts = rows.chunks_exact(k).zip(data.chunks_exact_mut(row_bytes));
        let mut parts = parts.zip(scales.chunks_exact_mut(row_scales)).enumerate();
        parts.find_map(|(row, ((x, data), scales))| f(row, x, data, scales).err())
    };
    error.map_or(Ok(()), Err)
}

fn encode_blocks(x: &[f32], data: &mut [u8], scales: &mut [u8], bytes: usize, block: fn(&[f32], &mut [u8]) -> f16) {
    debug_assert_eq!(scales.len() / 2, ceil_div(x.len(), BLOCK));
    for ((x, data), scale) in x.chunks(BLOCK).zip(data.chunks_exact_mut(bytes)).zip(scales.chunks_exact_mut(2)) {
        scale.copy_from_slice(&block(x, data).to_le_bytes());
    }
}

/// The largest magnitude that rounds to something finite.
fn limit(dtype: Dtype) -> f32 {
    match dtype {
        Dtype::F32 => f32::MAX,
        Dtype::F16 => 65504.0,
        Dtype::Q8 => q8::LIMIT,
        Dtype::Q4 => q4::LIMIT,
    }
}

fn check(dtype: Dtype, row: usize, x: &[f32]) -> Result<(), QuantError> {
    let limit = limit(dtype);
    // One pass without branches finds that there is nothing to find; NaN fails the comparison too.
    if x.iter().fold(true, |fine, v| fine & (v.abs() <= limit)) {
        return Ok(());
    }
    for (column, &value) in x.iter().enumerate() {
        if !value.is_finite() {
            return Err(QuantError::NotFinite { row, column, value });
        }
        if value.abs() > limit {
            return Err(QuantError::TooLarge { row, column, value, dtype, limit });
        }
    }
    Ok(())
}
