//! Panels of eight weight rows, rearranged so that one vector holds the same columns of all eight.

use std::hint::black_box;

use super::simd::Simd;
use crate::cpu::twins::linear::Weight;
use crate::quant::BLOCK;
use crate::tensor::Dtype;

/// Rows of a panel.
pub(super) const ROWS: usize = 8;

/// The eight rows of a panel that starts at `first`; the last row stands in for those beyond the end.
fn rows<'a>(weight: &Weight<'a>, first: usize, count: usize) -> [(&'a [u8], &'a [u8]); ROWS] {
    std::array::from_fn(|r| weight.row((first + r).min(count - 1)))
}

/// Brings a row of weights into the cache before it is used: one load for each line, and nothing else between them, so
/// that a core waits for as many lines at once as it can. Amid arithmetic its window holds only some of them, and
/// weights that lie in memory come at less than half the speed.
#[inline(always)]
pub(super) fn fetch(row: &[u8]) {
    const LINE: usize = 64;
    black_box(row.iter().step_by(LINE).fold(0, |all, byte| all | byte));
}

/// f16 scales of eight rows as `[block][row]` f32.
fn pack_scales(rows: &[(&[u8], &[u8]); ROWS], scales: &mut [f32]) {
    for (b, out) in scales.chunks_exact_mut(ROWS).enumerate() {
        for (out, (_, row)) in out.iter_mut().zip(rows) {
            *out = f16_to_f32([row[2 * b], row[2 * b + 1]]);
        }
    }
}

/// A row's f16 scales as f32.
///
/// # Safety
/// The machine has the backend's instructions.
#[inline(always)]
pub(super) unsafe fn widen_scales<S: Simd>(row: &[u8], scales: &mut [f32]) {
    let whole = row.chunks_exact(16);
    let (rest, done) = (whole.remainder(), row.len() / 16 * 8);
    for (scales, row) in scales.chunks_exact_mut(8).zip(whole) {
        // SAFETY: the caller's machine; eight f16 to read and eight f32 to write.
        unsafe { S::store(scales.as_mut_ptr(), S::load_f16(row.as_ptr())) };
    }
    for (scale, b) in scales[done..].iter_mut().zip(rest.chunks_exact(2)) {
        *scale = f16_to_f32([b[0], b[1]]);
    }
}

/// A finite f16 as f32, without the branches of the general conversion.
#[inline(always)]
pub(super) fn f16_to_f32(bytes: [u8; 2]) -> f32 {
    let bits = u32::from(u16::from_le_bytes(bytes));
    let magnitude = f32::from_bits((bits & 0x7fff) << 13) * f32::from_bits((127 + 112) << 23);
    f32::from_bits(magnitude.to_bits() | (bits & 0x8000) << 16)
}

/// Packs rows `first..first + 8` of a q8 or q4 weight of `count` rows as `[pair of columns][row][2]` int16, and their
/// scales as `[block][row]`.
#[inline(always)]
pub(super) fn pack_int(weight: &Weight<'_>, first: usize, count: usize, panel: &mut [i16], scales: &mut [f32]) {
    let rows = rows(weight, first, count);
    pack_scales(&rows, scales);
    let mut wide = [[0i16; BLOCK]; ROWS];
    for (b, panel) in panel.chunks_exact_mut(BLOCK * ROWS).enumerate() {
        for (wide, (data, _)) in wide.iter_mut().zip(&rows) {
            if weight.dtype == Dtype::Q8 {
                for (wide, q) in wide.iter_mut().zip(&data[b * BLOCK..][..BLOCK]) {
                    *wide = i16::from(*q as i8);
                }
            } else {
                let (low, high) = wide.split_at_mut(BLOCK / 2);
                for (i, q) in data[b * BLOCK / 2..][..BLOCK / 2].iter().enumerate() {
                    low[i] = i16::from(q & 15) - 8;
                    high[i] = i16::from(q >> 4) - 8;
                }
            }
        }
        for (p, panel) in panel.chunks_exact_mut(2 * ROWS).enumerate() {
            for (r, pair) in panel.chunks_exact_mut(2).enumerate() {
                pair.copy_from_slice(&wide[r][2 * p..2 * p + 2]);
            }
        }
    }
}

/// Packs rows `first..first + 8` of an f32 or f16 weight of `count` rows as `[column][row]` f32.
///
/// # Safety
/// The machine has the backend's instructions.
#[inline(always)]
pub(super) unsafe fn pack_float<S: Simd>(weight: &Weight<'_>, first: usize, count: usize, panel: &mut [f32]) {
    let rows = rows(weight, first, count);
    for (k, panel) in panel.chunks_exact_mut(8 * ROWS).enumerate() {
        for (r, (data, _)) in rows.iter().enumerate() {
            for (i, x) in float8::<S>(weight.dtype, data, 8 * k).into_iter().enumerate() {
                panel[i * ROWS + r] = x;
            }
        }
    }
    let whole = panel.len() / (8 * ROWS) * 8;
    for (k, panel) in panel.chunks_exact_mut(ROWS).enumerate().skip(whole) {
        for (out, (data, _)) in panel.iter_mut().zip(&rows) {
            *out = float(weight.dtype, data, k);
        }
    }
}

/// Element `k` of an f32 or f16 row.
#[inline(always)]
pub(super) fn float(dtype: Dtype, data: &[u8], k: usize) -> f32 {
    if dtype == Dtype::F32 {
        let b = &data[4 * k..][..4];
        f32::from_le_bytes([b[0], b[1], b[2], b[3]])
    } else {
        f16_to_f32([data[2 * k], data[2 * k + 1]])
    }
}

/// Elements `k..k + 8` of an f32 or f16 row.
#[inline(always)]
fn float8<S: Simd>(dtype: Dtype, data: &[u8], k: usize) -> [f32; 8] {
    let mut out = [0.0; 8];
    if dtype == Dtype::F32 {
        out.iter_mut().enumerate().for_each(|(i, o)| *o = float(dtype, data, k + i));
    } else {
        let bytes = &data[2 * k..][..16];
        // SAFETY: 16 bytes are there, and eight f32 to write.
        unsafe { S::store(out.as_mut_ptr(), S::load_f16(bytes.as_ptr())) };
    }
    out
}
