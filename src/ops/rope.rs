use super::{Emitter, Tensor};
use crate::kernels::KernelId;
use crate::kernels::params::RopeParams;

/// Rotary embedding of fused qkv rows and where their keys and values go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RopeSpec {
    /// H, query heads.
    pub heads: usize,
    /// G, key and value heads.
    pub kv_heads: usize,
    /// K, width of a head.
    pub head_dim: usize,
    /// Rows of a slot of the KV cache.
    pub capacity: usize,
    /// Base of the frequencies.
    pub theta: f32,
}

/// Rotates q and k, appends k and v to the caches; `out` gets q. Row 0 is row `first_row` of the pass.
pub fn rope_append(
    e: &mut Emitter,
    qkv: Tensor,
    [k_cache, v_cache]: [Tensor; 2],
    spec: &RopeSpec,
    first_row: usize,
    out: Tensor,
) {
    let params = RopeParams {
        tokens: out.rows as u32,
        heads: spec.heads as u32,
        kv_heads: spec.kv_heads as u32,
        head_dim: spec.head_dim as u32,
        capacity: spec.capacity as u32,
        first_row: first_row as u32,
        theta: spec.theta,
        ..Default::default()
    };
    let heads = (spec.heads + 2 * spec.kv_heads) as u32;
    let grid = [(spec.head_dim / 2).div_ceil(32) as u32, heads, out.rows as u32];
    let bindings = vec![qkv.handle, out.handle, k_cache.handle, v_cache.handle];
    e.push(KernelId::RopeAppend, bindings, &params, grid);
}
