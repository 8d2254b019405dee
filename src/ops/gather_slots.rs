use super::{Emitter, Tensor};
use crate::kernels::KernelId;
use crate::kernels::params::GatherSlotsParams;

/// A KV cache `[slots, G, capacity, K]` in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSpec {
    /// Slots.
    pub slots: usize,
    /// G, key and value heads.
    pub kv_heads: usize,
    /// Rows of a slot.
    pub capacity: usize,
    /// K, width of a head.
    pub head_dim: usize,
}

/// Copies rows of `cache` from slot to slot, as [`Step::gather`](crate::kernels::Step::gather) says when it is played.
pub fn gather_slots(e: &mut Emitter, cache: Tensor, spec: &CacheSpec) {
    let params = GatherSlotsParams {
        slots: spec.slots as u32,
        kv_heads: spec.kv_heads as u32,
        capacity: spec.capacity as u32,
        head_dim: spec.head_dim as u32,
    };
    let vectors = spec.capacity * spec.head_dim / 4;
    let grid = [vectors.div_ceil(64) as u32, spec.kv_heads as u32, spec.slots as u32];
    e.push(KernelId::GatherSlots, vec![cache.handle], &params, grid);
}
