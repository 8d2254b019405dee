//! `rope_append`: rotates queries and keys by position and appends keys and values to the cache.

use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::params::RopeParams;

/// Rotates the pairs `(i, i + K/2)` of one head by `position / theta^(2i/K)`.
///
/// The angle is rounded to f32 before its sine is taken, as Hugging Face transformers does.
pub fn rotate(x: &[f32], position: u32, theta: f32, out: &mut [f32]) {
    let half = x.len() / 2;
    for i in 0..half {
        let frequency = 1.0 / f64::from(theta).powf(2.0 * i as f64 / x.len() as f64);
        let (sin, cos) = f64::from(position as f32 * frequency as f32).sin_cos();
        let (a, b) = (f64::from(x[i]), f64::from(x[i + half]));
        out[i] = (a * cos - b * sin) as f32;
        out[i + half] = (b * cos + a * sin) as f32;
    }
}

/// Rows of `qkv` hold `H` query heads, `G` key heads and `G` value heads; caches are `[slot, G, capacity, K]`.
pub(in crate::cpu) fn run(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: RopeParams = call.params()?;
    let (heads, groups, dim) = (p.heads as usize, p.kv_heads as usize, p.head_dim as usize);
    let (tokens, capacity) = (call.tokens(p.tokens), p.capacity as usize);
    let (position, slot) = (call.step.position as usize, call.step.slot as usize);
    call.at_most("positions of the KV cache", position.saturating_add(tokens), capacity)?;
    let (width, q_width) = (size(&[heads.saturating_add(2 * groups), dim]), size(&[heads, dim]));
    let qkv = call.read::<f32>(0, size(&[tokens, width]))?;
    let q = call.write::<f32>(1, size(&[tokens, q_width]))?;
    let held = size(&[slot.saturating_add(1), groups, capacity, dim]);
    let (k_cache, v_cache) = (call.write::<f32>(2, held)?, call.write::<f32>(3, held)?);
    for t in 0..tokens {
        let at = position + t;
        let row = &qkv[t * width..][..width];
        for h in 0..heads {
            rotate(&row[h * dim..][..dim], at as u32, p.theta, &mut q[t * q_width + h * dim..][..dim]);
        }
        for g in 0..groups {
            let cached = ((slot * groups + g) * capacity + at) * dim;
            rotate(&row[(heads + g) * dim..][..dim], at as u32, p.theta, &mut k_cache[cached..][..dim]);
            v_cache[cached..][..dim].copy_from_slice(&row[(heads + groups + g) * dim..][..dim]);
        }
    }
    Ok(())
}
