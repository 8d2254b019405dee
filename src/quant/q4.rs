//! The q4 block: 32 values of 4 bits that share one f16 scale, which may be negative.
//!
//! Levels run from -8 to 7, so a negative scale puts the long end on the positive side. The encoder tries a few scales
//! around the block's extreme value and keeps the one with the least squared error.

use half::f16;

use super::{BLOCK, round_even};

/// The levels that the block's extreme element may be put on, in order of preference.
///
/// -8 uses the whole range; 7 and -7 suit blocks with large elements on both sides; the others trade a clipped or a
/// short extreme for a better fit of the rest.
const EXTREME_LEVELS: [f32; 6] = [-8.0, 7.0, -7.0, -8.5, -7.5, -9.0];
/// The smallest positive f16, `2^-24`; below `2^-14` f16 has only multiples of it.
const UNIT: f32 = 5.960_464_5e-8;
/// Up to this many units f16 is too coarse for [`EXTREME_LEVELS`], and every scale there is gets tried.
const TINY: f32 = 128.0 * UNIT;
/// The multiples of a unit that a tiny block's scale may be.
const TINY_SCALES: i32 = 18;

/// The largest magnitude that a block may hold.
pub(super) const LIMIT: f32 = 65504.0 * 8.0;

fn level(x: f32, scale: f32) -> f32 {
    round_even(x / scale).clamp(-8.0, 7.0)
}

fn error(x: &[f32; BLOCK], scale: f32) -> f32 {
    let mut sums = [0.0f32; 8];
    for part in x.chunks_exact(8) {
        for (sum, &x) in sums.iter_mut().zip(part) {
            let miss = x - level(x, scale) * scale;
            *sum += miss * miss;
        }
    }
    sums.iter().sum()
}

/// The scale with the least error; the first of several equals.
fn best_scale(x: &[f32; BLOCK]) -> f16 {
    let extreme = x.iter().fold(0.0f32, |m, &v| if v.abs() > m.abs() { v } else { m });
    if extreme == 0.0 {
        return f16::ZERO;
    }
    let mut best = (f32::INFINITY, f16::ZERO);
    let mut offer = |scale: f16| {
        if scale.is_finite() {
            let error = error(x, scale.to_f32());
            if error < best.0 {
                best = (error, scale);
            }
        }
    };
    if extreme.abs() <= TINY {
        for units in 1..=TINY_SCALES {
            offer(f16::from_f32(units as f32 * UNIT));
            offer(f16::from_f32(units as f32 * -UNIT));
        }
    } else {
        EXTREME_LEVELS.iter().for_each(|&level| offer(f16::from_f32(extreme / level)));
    }
    best.1
}

fn quantise(x: &[f32; BLOCK]) -> ([f32; BLOCK], f16) {
    let scale = best_scale(x);
    let wide = scale.to_f32();
    let mut levels = [0.0; BLOCK];
    if wide != 0.0 {
        levels.iter_mut().zip(x).for_each(|(l, &x)| *l = level(x, wide));
    }
    // A scale without a level to use it is no information: the block is zero.
    if levels.iter().all(|&l| l == 0.0) { (levels, f16::ZERO) } else { (levels, scale) }
}

/// Encodes up to 32 finite elements into `q` (16 bytes, zero elements beyond `x`) and returns the scale.
///
/// Quantises twice. Several encodings can stand for the same values; the second pass, which meets its values exactly,
/// takes the preferred one, so that encoding what was decoded gives the same bytes.
pub(super) fn encode_block(x: &[f32], q: &mut [u8]) -> f16 {
    debug_assert!(x.len() <= BLOCK && q.len() == BLOCK / 2);
    let mut block = [0.0f32; BLOCK];
    block[..x.len()].copy_from_slice(x);
    let (levels, scale) = quantise(&block);
    block.iter_mut().zip(&levels).for_each(|(x, l)| *x = l * scale.to_f32());
    let (levels, scale) = quantise(&block);
    for (i, q) in q.iter_mut().enumerate() {
        *q = (levels[i] + 8.0) as u8 | ((levels[i + BLOCK / 2] + 8.0) as u8) << 4;
    }
    scale
}

/// Decodes a block of 16 bytes.
pub(super) fn decode_block(q: &[u8], scale: f16, out: &mut [f32]) {
    let scale = scale.to_f32();
    for (i, &q) in q.iter().enumerate() {
        out[i] = (f32::from(q & 15) - 8.0) * scale;
        out[i + BLOCK / 2] = (f32::from(q >> 4) - 8.0) * scale;
    }
}
