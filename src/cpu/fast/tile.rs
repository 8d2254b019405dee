//! The innermost loops of matrix products.

use super::panel::{self, ROWS};
use super::simd::Simd;
use crate::quant::BLOCK;
use crate::tensor::Dtype;

/// `TILE` rows of int16 activations times a panel of eight weight rows.
///
/// # Safety
/// The machine has the backend's instructions; every row of `x` and `factors` spans the panel's blocks.
#[inline(always)]
pub(super) unsafe fn int<S: Simd, const TILE: usize>(
    x: [*const i16; TILE],
    factors: [*const f32; TILE],
    panel: &[i16],
    scales: &[f32],
) -> [S::F; TILE] {
    // SAFETY: the caller's; `panel` and `scales` are read within their lengths.
    unsafe {
        let mut sums = [S::splat(0.0); TILE];
        for (b, (panel, scales)) in panel.chunks_exact(BLOCK * ROWS).zip(scales.chunks_exact(ROWS)).enumerate() {
            let mut exact = [S::zero_i(); TILE];
            for p in 0..BLOCK / 2 {
                let w = S::load_h(panel.as_ptr().add(p * 2 * ROWS));
                for m in 0..TILE {
                    exact[m] = S::add_i(exact[m], S::madd(w, S::splat_pair(x[m].add(b * BLOCK + 2 * p))));
                }
            }
            let scales = S::load(scales.as_ptr());
            for m in 0..TILE {
                let factor = S::mul(scales, S::splat(*factors[m].add(b)));
                sums[m] = S::mul_add(S::to_f(exact[m]), factor, sums[m]);
            }
        }
        sums
    }
}

/// `TILE` rows of f32 activations times a panel `[column][8]`.
///
/// # Safety
/// The machine has the backend's instructions; every row of `x` has the panel's columns.
#[inline(always)]
pub(super) unsafe fn float<S: Simd, const TILE: usize>(x: [*const f32; TILE], panel: &[f32]) -> [S::F; TILE] {
    // SAFETY: the caller's; `panel` is read within its length.
    unsafe {
        let mut sums = [S::splat(0.0); TILE];
        for (k, w) in panel.chunks_exact(ROWS).enumerate() {
            let w = S::load(w.as_ptr());
            for m in 0..TILE {
                sums[m] = S::mul_add(w, S::splat(*x[m].add(k)), sums[m]);
            }
        }
        sums
    }
}

/// Four q8 (or q4) rows times one row of int16 activations; `scales` holds those of each row, `stride` apart.
///
/// # Safety
/// The machine has the backend's instructions.
#[inline(always)]
pub(super) unsafe fn dot_rows<S: Simd, const NIBBLES: bool>(
    data: [&[u8]; 4],
    scales: &[f32],
    stride: usize,
    x: &[i16],
    factors: &[f32],
) -> [f32; 4] {
    let bytes = if NIBBLES { BLOCK / 2 } else { BLOCK };
    let blocks = factors.len();
    assert!(x.len() >= blocks * BLOCK && scales.len() >= 3 * stride + blocks);
    assert!(data.iter().all(|row| row.len() >= blocks * bytes));
    // SAFETY: the caller's machine; the lengths were just checked.
    unsafe {
        let mut out = [0.0; 4];
        for r in 0..4 {
            // One row after the other, as they lie in memory: with four at once the prefetcher loses its way and a
            // weight larger than the cache streams at less than half the speed.
            let (data, scales) = (data[r].as_ptr(), scales.as_ptr().add(r * stride));
            let dot = |b: usize, sum: S::Sum| {
                let (w, x) = (data.add(b * bytes), x.as_ptr().add(b * BLOCK));
                let scale = *scales.add(b) * *factors.get_unchecked(b);
                if NIBBLES { S::dot_q4(w, x, scale, sum) } else { S::dot_q8(w, x, scale, sum) }
            };
            let (mut even, mut odd) = (S::zero_sum(), S::zero_sum());
            for b in (0..blocks / 2 * 2).step_by(2) {
                even = dot(b, even);
                odd = dot(b + 1, odd);
            }
            if blocks % 2 == 1 {
                even = dot(blocks - 1, even);
            }
            out[r] = S::finish(even) + S::finish(odd);
        }
        out
    }
}

/// Four f32 or f16 rows times one row of f32 activations.
///
/// # Safety
/// The machine has the backend's instructions.
#[inline(always)]
pub(super) unsafe fn dot_float_rows<S: Simd>(dtype: Dtype, data: [&[u8]; 4], x: &[f32]) -> [f32; 4] {
    let bytes = if dtype == Dtype::F32 { 4 } else { 2 };
    let whole = x.len() / 8 * 8;
    assert!(data.iter().all(|row| row.len() >= x.len() * bytes));
    // SAFETY: the caller's machine; the lengths were just checked.
    let mut out = unsafe {
        let mut sums = [S::splat(0.0); 4];
        for k in (0..whole).step_by(8) {
            let x = S::load(x.as_ptr().add(k));
            for r in 0..4 {
                let w = data[r].as_ptr().add(k * bytes);
                let w = if dtype == Dtype::F32 { S::load(w.cast()) } else { S::load_f16(w) };
                sums[r] = S::mul_add(w, x, sums[r]);
            }
        }
        [S::sum(sums[0]), S::sum(sums[1]), S::sum(sums[2]), S::sum(sums[3])]
    };
    for (out, data) in out.iter_mut().zip(data) {
        *out += x[whole..].iter().enumerate().map(|(i, x)| x * panel::float(dtype, data, whole + i)).sum::<f32>();
    }
    out
}
