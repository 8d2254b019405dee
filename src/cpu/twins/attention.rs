//! `attention`: softmax(q k^T) v over many queries, with the masks that the models use.

use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::params::AttentionParams;

/// Which keys a query sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visible {
    /// All of them.
    Full,
    /// Those before it within `window` (0: any distance), and all of the first `prefix` if it is one of them.
    Prefix {
        /// Positions that see each other both ways.
        prefix: usize,
        /// How far back a query sees; 0 for no limit.
        window: usize,
    },
}

impl Visible {
    /// Whether the query at absolute position `i` sees the key at `j`.
    pub fn sees(self, i: usize, j: usize) -> bool {
        match self {
            Self::Full => true,
            Self::Prefix { prefix, window } => {
                (i < prefix && j < prefix) || (j <= i && (window == 0 || i - j < window))
            }
        }
    }

    /// The keys among the first `keys` that the query at `i` sees: always a run.
    pub fn run(self, i: usize, keys: usize) -> std::ops::Range<usize> {
        match self {
            Self::Full => 0..keys,
            Self::Prefix { prefix, .. } if i < prefix => 0..prefix.min(keys),
            Self::Prefix { window: 0, .. } => 0..(i + 1).min(keys),
            Self::Prefix { window, .. } => (i + 1).saturating_sub(window).min(keys)..(i + 1).min(keys),
        }
    }
}

/// One attention over `tokens` queries and `keys` keys; strides and offsets count elements.
#[derive(Debug, Clone, Copy)]
pub struct Attention<'a> {
    /// Queries.
    pub tokens: usize,
    /// Keys and values.
    pub keys: usize,
    /// Absolute position of the first query; the first key is at position 0.
    pub position: usize,
    /// Query heads `H`, a multiple of `kv_heads`.
    pub heads: usize,
    /// Key and value heads `G`.
    pub kv_heads: usize,
    /// Elements of a head.
    pub head_dim: usize,
    /// Query `t` of head `h` starts at `t * q_stride + h * head_dim`.
    pub q: &'a [f32],
    /// From query to query.
    pub q_stride: usize,
    /// Key `j` of head `g` starts at `g * head_stride + j * kv_stride`.
    pub k: &'a [f32],
    /// The same for values.
    pub v: &'a [f32],
    /// From key to key.
    pub kv_stride: usize,
    /// From key head to key head.
    pub head_stride: usize,
    /// The mask.
    pub visible: Visible,
    /// Factor of every score.
    pub scale: f32,
    /// `c tanh(s / c)` on every score unless 0.
    pub softcap: f32,
}

impl<'a> Attention<'a> {
    /// The query of a token and head.
    pub fn query(&self, t: usize, h: usize) -> &'a [f32] {
        &self.q[t * self.q_stride + h * self.head_dim..][..self.head_dim]
    }

    /// The key at `j` that query head `h` looks at.
    pub fn key(&self, j: usize, h: usize) -> &'a [f32] {
        &self.k[self.group(h) * self.head_stride + j * self.kv_stride..][..self.head_dim]
    }

    /// The value at `j` that query head `h` looks at.
    pub fn value(&self, j: usize, h: usize) -> &'a [f32] {
        &self.v[self.group(h) * self.head_stride + j * self.kv_stride..][..self.head_dim]
    }

    /// The key head of query head `h`.
    pub fn group(&self, h: usize) -> usize {
        h / (self.heads / self.kv_heads)
    }

    /// Scaled and capped score of token `t` and key `j`, `None` where the mask hides it.
    pub fn score(&self, t: usize, h: usize, j: usize) -> Option<f64> {
        if !self.visible.sees(self.position + t, j) {
            return None;
        }
        let dot: f64 = self.query(t, h).iter().zip(self.key(j, h)).map(|(q, k)| f64::from(*q) * f64::from(*k)).sum();
        let (score, cap) = (dot * f64::from(self.scale), f64::from(self.softcap));
        Some(if cap == 0.0 { score } else { cap * (score / cap).tanh() })
    }
}

/// Softmax-weighted sum of the values of some keys: (largest score, sum of weights, weighted sum of values).
pub(super) fn weigh(op: &Attention<'_>, t: usize, h: usize, keys: std::ops::Range<usize>) -> (f64, f64, Vec<f64>) {
    let scores: Vec<_> = keys.filter_map(|j| op.score(t, h, j).map(|score| (j, score))).collect();
    let max = scores.iter().fold(-1e30, |max: f64, &(_, score)| max.max(score));
    let mut sum = 0.0;
    let mut values = vec![0.0; op.head_dim];
    for (j, score) in scores {
        let weight = (score - max).exp();
        sum += weight;
        values.iter_mut().zip(op.value(j, h)).for_each(|(acc, v)| *acc += weight * f64::from(*v));
    }
    (max, sum, values)
}

/// `out [tokens, heads * head_dim]`; a query that sees nothing gives zeros.
pub fn attention(op: &Attention<'_>, out: &mut [f32]) {
    for (row, out) in out.chunks_exact_mut(op.head_dim).enumerate() {
        let (_, sum, values) = weigh(op, row / op.heads, row % op.heads, 0..op.keys);
        let scale = if sum == 0.0 { 0.0 } else { 1.0 / sum };
        out.iter_mut().zip(values).for_each(|(o, v)| *o = (v * scale) as f32);
    }
}

/// Reads the bindings that prefill and decode attention share.
pub(super) fn inputs<'a>(call: &Call<'a>, p: &AttentionParams) -> Result<Attention<'a>, CpuError> {
    let tokens = call.tokens(p.tokens);
    let (heads, kv_heads, head_dim) = (p.heads as usize, p.kv_heads as usize, p.head_dim as usize);
    let position = if p.source == 0 { 0 } else { call.step.position as usize };
    let keys = position.saturating_add(tokens);
    call.agree("query heads left over per key head", heads.checked_rem(kv_heads).unwrap_or(1), 0)?;
    call.at_most("elements of a head from key to key", head_dim, p.k_stride as usize)?;
    call.at_most("elements of all heads from query to query", size(&[heads, head_dim]), p.q_stride as usize)?;
    let (q_stride, kv_stride) = (p.q_stride as usize, p.k_stride as usize);
    let head_stride = p.k_head_stride as usize;
    let slot = if p.source == 0 { 0 } else { size(&[call.step.slot as usize, p.slot_stride as usize]) };
    // The end of the last row of the last head.
    let end = |rows: usize, stride: usize, heads_at: usize| match rows {
        0 => 0,
        rows => size(&[rows - 1, stride]).saturating_add(heads_at).saturating_add(head_dim),
    };
    let q_end = end(tokens, q_stride, size(&[heads.saturating_sub(1), head_dim]));
    let kv_end = end(keys, kv_stride, size(&[kv_heads.saturating_sub(1), head_stride]));
    let part = |binding: usize, offset: usize, end: usize| {
        call.read::<f32>(binding, offset.saturating_add(end)).map(|all| &all[offset..])
    };
    let visible = match p.mask {
        0 => Visible::Full,
        _ => Visible::Prefix { prefix: call.step.prefix as usize, window: p.window as usize },
    };
    Ok(Attention {
        tokens,
        keys,
        position,
        heads,
        kv_heads,
        head_dim,
        q: part(0, p.q_offset as usize, q_end)?,
        q_stride,
        k: part(1, slot.saturating_add(p.k_offset as usize), kv_end)?,
        v: part(2, slot.saturating_add(p.v_offset as usize), kv_end)?,
        kv_stride,
        head_stride,
        visible,
        scale: p.scale,
        softcap: p.softcap,
    })
}

pub(in crate::cpu) fn bind<'a>(call: &mut Call<'a>) -> Result<(Attention<'a>, &'a mut [f32]), CpuError> {
    let p: AttentionParams = call.params()?;
    let op = inputs(call, &p)?;
    let out = call.write::<f32>(3, size(&[op.tokens, op.heads, op.head_dim]))?;
    Ok((op, out))
}

pub(in crate::cpu) fn run(call: &mut Call<'_>) -> Result<(), CpuError> {
    let (op, out) = bind(call)?;
    if op.head_dim > 0 {
        attention(&op, out);
    }
    Ok(())
}
