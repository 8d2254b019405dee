//! The q8 block: 32 int8 values that share one f16 scale.

use half::f16;

use super::BLOCK;

const LEVELS: f32 = 127.0;
/// The smallest positive f16, `2^-24`; below `2^-14` f16 has only multiples of it.
const UNIT: f32 = 5.960_464_5e-8;
/// From this many units on, rounding the scale to f16 leaves the largest element at level 127.
const FINE_UNITS: f32 = 128.0;

/// The largest magnitude that a block may hold.
pub(super) const LIMIT: f32 = 65504.0 * LEVELS;

/// The scale for a block whose largest magnitude is `max`; infinite above [`LIMIT`].
///
/// Encoding what was decoded must give the same bytes. Where f16 is too coarse for that (scales under 7.6e-6) the
/// scale is a power of two, of which only one fits a given largest level.
fn scale_for(max: f32) -> f16 {
    let nearest = f16::from_f32(max / LEVELS);
    if nearest.to_f32() >= FINE_UNITS * UNIT {
        return nearest;
    }
    let mut scale = UNIT;
    while scale * LEVELS < max {
        scale *= 2.0;
    }
    f16::from_f32(scale)
}

/// Encodes up to 32 finite elements into `q` (32 bytes, zero beyond `x`) and returns the scale.
pub(super) fn encode_block(x: &[f32], q: &mut [u8]) -> f16 {
    debug_assert!(x.len() <= BLOCK && q.len() == BLOCK);
    q.fill(0);
    let max = x.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    if max == 0.0 {
        return f16::ZERO;
    }
    let scale = scale_for(max);
    let wide = scale.to_f32();
    let mut any = false;
    for (q, &x) in q.iter_mut().zip(x) {
        let level = super::round_even(x / wide).clamp(-LEVELS, LEVELS) as i8;
        any |= level != 0;
        *q = level as u8;
    }
    if any { scale } else { f16::ZERO }
}

/// Decodes a block of 32 bytes.
pub(super) fn decode_block(q: &[u8], scale: f16, out: &mut [f32]) {
    let scale = scale.to_f32();
    for (out, &q) in out.iter_mut().zip(q) {
        *out = f32::from(q as i8) * scale;
    }
}
