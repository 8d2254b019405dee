//! `rope_append`: rotates queries and keys by position and appends keys and values to the cache.

use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::Sequence;
use crate::kernels::params::RopeParams;

/// The angle of pair `i` of a head of `dim` elements: `position / theta^(2i/dim)`.
///
/// It is rounded to f32 before its sine is taken, as Hugging Face transformers does.
pub fn angle(position: u32, i: usize, dim: usize, theta: f32) -> f64 {
    let frequency = 1.0 / f64::from(theta).powf(2.0 * i as f64 / dim as f64);
    f64::from(position as f32 * frequency as f32)
}

/// Rotates the pairs `(i, i + K/2)` of one head.
pub fn rotate(x: &[f32], position: u32, theta: f32, out: &mut [f32]) {
    let half = x.len() / 2;
    for i in 0..half {
        let (sin, cos) = angle(position, i, x.len(), theta).sin_cos();
        let (a, b) = (f64::from(x[i]), f64::from(x[i + half]));
        out[i] = (a * cos - b * sin) as f32;
        out[i + half] = (b * cos + a * sin) as f32;
    }
}

/// What goes in. Rows of `qkv` hold `H` query heads, `G` key heads and `G` value heads.
pub(in crate::cpu) struct Rope<'a> {
    /// Rows, those of padding between sequences included.
    pub tokens: usize,
    first_row: usize,
    sequence_rows: usize,
    sequences: &'a [Sequence],
    pub heads: usize,
    pub groups: usize,
    pub dim: usize,
    pub capacity: usize,
    pub theta: f32,
    pub qkv: &'a [f32],
}

impl Rope<'_> {
    /// Position of a row, and the key heads of the cache before those of its slot; nothing if the row is not valid.
    pub fn place(&self, t: usize) -> Option<(usize, usize)> {
        let row = self.first_row + t;
        let (sequence, own) = (self.sequences.get(row / self.sequence_rows)?, row % self.sequence_rows);
        let valid = own < sequence.tokens as usize;
        valid.then(|| (sequence.position as usize + own, sequence.slot as usize * self.groups))
    }
}

/// What comes out: `q [T, H, K]`, and caches of `[slot, G, capacity, K]` of which the new rows are written.
pub(in crate::cpu) struct Rotated<'a> {
    pub q: &'a mut [f32],
    pub k_cache: &'a mut [f32],
    pub v_cache: &'a mut [f32],
}

pub(in crate::cpu) fn bind<'a>(call: &mut Call<'a>) -> Result<(Rope<'a>, Rotated<'a>), CpuError> {
    let p: RopeParams = call.params()?;
    let (heads, groups, dim) = (p.heads as usize, p.kv_heads as usize, p.head_dim as usize);
    let tokens = p.tokens.min(call.step.rows.saturating_sub(p.first_row)) as usize;
    let (first_row, capacity) = (p.first_row as usize, p.capacity as usize);
    let (sequences, mut slots) = (call.step.sequences(), 0);
    for sequence in sequences {
        let end = (sequence.position as usize).saturating_add(sequence.tokens as usize);
        call.at_most("positions of the KV cache", end, capacity)?;
        slots = slots.max(sequence.slot as usize + 1);
    }
    let width = size(&[heads.saturating_add(groups.saturating_mul(2)), dim]);
    let qkv = call.read::<f32>(0, size(&[tokens, width]))?;
    let q = call.write::<f32>(1, size(&[tokens, heads, dim]))?;
    let held = size(&[slots, groups, capacity, dim]);
    let (k_cache, v_cache) = (call.write::<f32>(2, held)?, call.write::<f32>(3, held)?);
    let sequence_rows = (p.sequence_rows as usize).max(1);
    let theta = p.theta;
    let op = Rope { tokens, first_row, sequence_rows, sequences, heads, groups, dim, capacity, theta, qkv };
    Ok((op, Rotated { q, k_cache, v_cache }))
}

pub(in crate::cpu) fn run(call: &mut Call<'_>) -> Result<(), CpuError> {
    let (op, out) = bind(call)?;
    let Rope { heads, groups, dim, theta, .. } = op;
    let (width, q_width) = ((heads + 2 * groups) * dim, heads * dim);
    for t in 0..op.tokens {
        let Some((at, first_group)) = op.place(t) else { continue };
        let row = &op.qkv[t * width..][..width];
        for h in 0..heads {
            rotate(&row[h * dim..][..dim], at as u32, theta, &mut out.q[t * q_width + h * dim..][..dim]);
        }
        for g in 0..groups {
            let cached = ((first_group + g) * op.capacity + at) * dim;
            rotate(&row[(heads + g) * dim..][..dim], at as u32, theta, &mut out.k_cache[cached..][..dim]);
            out.v_cache[cached..][..dim].copy_from_slice(&row[(heads + groups + g) * dim..][..dim]);
        }
    }
    Ok(())
}
