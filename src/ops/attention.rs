use super::{Bind, Emitter, Operand, Operation, ShapeFault, Shapes, Tensor, Value};
use crate::kernels::params::AttentionParams;
use crate::kernels::{DeviceClass, KernelId};

/// Where keys and values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySource {
    /// The rows of this pass: q, k and v are one fused qkv tensor.
    Rows,
    /// The KV cache, with so many rows in a slot.
    Cache {
        /// Rows of a slot.
        capacity: usize,
    },
}

/// Which keys a query sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mask {
    /// All.
    Full,
    /// The prefix sees itself both ways; later queries see themselves and what is before them, at most `window` keys.
    Prefix {
        /// Keys seen backwards; `None` sees all.
        window: Option<usize>,
    },
}

/// An attention in numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttentionSpec {
    /// H, query heads.
    pub heads: usize,
    /// G, key and value heads.
    pub kv_heads: usize,
    /// K, width of a head.
    pub head_dim: usize,
    /// Where keys and values come from.
    pub source: KeySource,
    /// Which keys a query sees.
    pub mask: Mask,
    /// Factor on q·k.
    pub scale: f32,
    /// `c` of `c * tanh(score / c)`.
    pub softcap: Option<f32>,
}

/// Attention of `q` over `k` and `v`: `[T, H * K]` out.
///
/// Over rows of this pass all three are the fused qkv rows `[T, (H + 2G) * K]`; over a cache q is `[T, H * K]`, and k and
/// v are `[slots * G * capacity, K]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Attention {
    /// Queries.
    pub q: Value,
    /// Keys.
    pub k: Value,
    /// Values.
    pub v: Value,
    /// Heads, mask and scale.
    pub spec: AttentionSpec,
}

impl Operation for Attention {
    fn reads(&self) -> Vec<Operand> {
        vec![self.q.into(), self.k.into(), self.v.into()]
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeFault> {
        let AttentionSpec { heads, kv_heads, head_dim, source, .. } = self.spec;
        let groups = kv_heads > 0 && heads > 0 && heads.is_multiple_of(kv_heads);
        shapes.supported("the heads", format!("{heads} over {kv_heads}"), groups, "a multiple of the key heads")?;
        let fits = head_dim > 0 && head_dim.is_multiple_of(4) && head_dim <= MAX_HEAD_DIM;
        shapes.supported("the width of a head", head_dim, fits, HEAD_DIMS)?;
        match source {
            KeySource::Rows => {
                let fused = (heads + 2 * kv_heads) * head_dim;
                for (what, value) in [("width of q", self.q), ("width of k", self.k), ("width of v", self.v)] {
                    shapes.equal(what, shapes.width(value), fused)?;
                }
                shapes.equal("rows of k", shapes.rows(self.k), shapes.rows(self.q))?;
                shapes.equal("rows of v", shapes.rows(self.v), shapes.rows(self.q))?;
            }
            KeySource::Cache { capacity } => {
                shapes.equal("width of q", shapes.width(self.q), heads * head_dim)?;
                for (what, value) in [("rows of the keys' cache", self.k), ("rows of the values' cache", self.v)] {
                    shapes.equal("width of the cache", shapes.width(value), head_dim)?;
                    let (rows, slot) = (shapes.rows(value), (kv_heads * capacity).max(1));
                    shapes.equal(what, rows, rows.div_ceil(slot) * slot)?;
                }
                shapes.equal("rows of the values' cache", shapes.rows(self.v), shapes.rows(self.k))?;
            }
        }
        Ok([shapes.rows(self.q), heads * head_dim])
    }

    fn describe(&self) -> String {
        let AttentionSpec { heads, kv_heads, head_dim, mask, scale, softcap, .. } = &self.spec;
        format!("attention {heads}/{kv_heads} heads of {head_dim}, {mask:?}, scale {scale}, softcap {softcap:?}")
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let (q, k, v) = (bind.tensor(self.q), bind.tensor(self.k), bind.tensor(self.v));
        attention(e, q, k, v, &self.spec, out);
    }
}

/// Kernels hold a head in registers.
pub const MAX_HEAD_DIM: usize = 256;
/// In words.
pub const HEAD_DIMS: &str = "a multiple of 4 up to 256";

/// Keys of a part when a single query's keys are split over invocations: the most that the kernels take.
const SPLIT_KEYS_GPU: usize = 64;
const SPLIT_KEYS_SERIAL: usize = 16;

/// Attention of `q` over `k` and `v`; a single query splits its keys, so that more than H invocations have work.
pub fn attention(e: &mut Emitter, q: Tensor, k: Tensor, v: Tensor, spec: &AttentionSpec, out: Tensor) {
    let params = params(q.rows, spec);
    let class = e.capabilities.class;
    // The CPU player has a kernel of its own for one query; what it gains from more invocations are threads.
    if q.rows == 1 && class != DeviceClass::Cpu {
        return split(e, [q, k, v], spec, params, out);
    }
    let (kernels, rows) = match class {
        DeviceClass::Gpu => ([KernelId::AttentionHd64, KernelId::AttentionHd128, KernelId::AttentionHd256], 8),
        DeviceClass::Software | DeviceClass::Cpu => {
            ([KernelId::AttentionSerialHd64, KernelId::AttentionSerialHd128, KernelId::AttentionSerialHd256], 32)
        }
    };
    let grid = [q.rows.div_ceil(rows) as u32, spec.heads as u32, 1];
    let bindings = vec![q.handle, k.handle, v.handle, out.handle];
    e.push(by_head_dim(kernels, spec.head_dim), bindings, &params, grid);
}

fn split(e: &mut Emitter, [q, k, v]: [Tensor; 3], spec: &AttentionSpec, params: AttentionParams, out: Tensor) {
    let keys = match spec.source {
        KeySource::Rows => q.rows,
        KeySource::Cache { capacity } => capacity,
    };
    let serial = e.capabilities.class != DeviceClass::Gpu;
    let split_keys = if serial { SPLIT_KEYS_SERIAL } else { SPLIT_KEYS_GPU };
    let splits = keys.div_ceil(split_keys);
    let params = AttentionParams { splits: splits as u32, split_keys: split_keys as u32, ..params };
    let partial = e.scratch(spec.heads * splits * (spec.head_dim + 4) * 4);
    let heads = spec.heads as u32;
    let (kernel, grid) = if serial {
        let pairs = spec.kv_heads * (spec.heads / spec.kv_heads).div_ceil(2);
        (KernelId::AttentionSplitSerial, [splits.div_ceil(8) as u32, pairs as u32, 1])
    } else {
        (KernelId::AttentionSplit, [splits as u32, heads, 1])
    };
    e.push(kernel, vec![q.handle, k.handle, v.handle, partial], &params, grid);
    let grid = [(spec.head_dim / 4).div_ceil(32) as u32, heads, 1];
    e.push(KernelId::AttentionMerge, vec![partial, out.handle], &params, grid);
}

fn params(tokens: usize, spec: &AttentionSpec) -> AttentionParams {
    let (h, g, k) = (spec.heads as u32, spec.kv_heads as u32, spec.head_dim as u32);
    let base = AttentionParams {
        tokens: tokens as u32,
        heads: h,
        kv_heads: g,
        head_dim: k,
        scale: spec.scale,
        softcap: spec.softcap.unwrap_or(0.0),
        ..Default::default()
    };
    let (mask, window) = match spec.mask {
        Mask::Full => (0, 0),
        Mask::Prefix { window } => (1, window.unwrap_or(0) as u32),
    };
    let base = AttentionParams { mask, window, ..base };
    match spec.source {
        KeySource::Rows => AttentionParams {
            q_stride: (h + 2 * g) * k,
            k_stride: (h + 2 * g) * k,
            k_offset: h * k,
            k_head_stride: k,
            v_offset: (h + g) * k,
            ..base
        },
        KeySource::Cache { capacity } => AttentionParams {
            q_stride: h * k,
            k_stride: k,
            k_head_stride: capacity as u32 * k,
            slot_stride: g * capacity as u32 * k,
            source: 1,
            ..base
        },
    }
}

fn by_head_dim([hd64, hd128, hd256]: [KernelId; 3], head_dim: usize) -> KernelId {
    match head_dim {
        ..=64 => hd64,
        65..=128 => hd128,
        _ => hd256,
    }
}
