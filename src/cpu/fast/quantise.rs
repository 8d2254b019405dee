//! Activations as int16: blocks of 32 that share one f32 factor.
//!
//! An int8 or 4-bit weight times such an element summed over a block fits an int32 exactly (at most
//! 128 * 32767 * 32 < 2^31), so all that is lost is the rounding here, 1.5e-5 of a block's largest element.

use crate::quant::BLOCK;

const LEVELS: f32 = 32767.0;
/// `1.5 * 2^23`: adding it leaves the nearest integer in the lowest bits.
const SHIFT: f32 = 12_582_912.0;

/// Quantises one row into `q`, zeros beyond it, and writes each block's factor.
///
/// A block with an element that is no finite number gets a factor that is none either, and so does every sum with it.
pub(super) fn quantise_row(x: &[f32], q: &mut [i16], factors: &mut [f32]) {
    for ((x, q), factor) in x.chunks(BLOCK).zip(q.chunks_exact_mut(BLOCK)).zip(factors) {
        let mut block = [0.0f32; BLOCK];
        block[..x.len()].copy_from_slice(x);
        let mut max = [0.0f32; 8];
        let mut wrong = [0.0f32; 8];
        for part in block.chunks_exact(8) {
            for i in 0..8 {
                max[i] = if part[i].abs() > max[i] { part[i].abs() } else { max[i] };
                wrong[i] += part[i] * 0.0;
            }
        }
        let largest = max.iter().fold(0.0f32, |a, &b| a.max(b));
        let wrong: f32 = wrong.iter().sum();
        // Below 1e-30 the inverse would overflow, and nothing else of a sum is so small.
        let inverse = if largest > 1e-30 { LEVELS / largest } else { 0.0 };
        *factor = if largest > 1e-30 { largest / LEVELS } else { 0.0 } + wrong;
        for (q, x) in q.iter_mut().zip(block) {
            *q = (x * inverse + SHIFT).to_bits() as i16;
        }
    }
}
