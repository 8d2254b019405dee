use super::{Bind, Emitter, Operand, Operation, ShapeError, Shapes, Tensor, Value};
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

/// Copies rows of a KV cache `[slots * G * capacity, K]` from slot to slot, in place. What it defines has no elements.
#[derive(Debug, Clone, PartialEq)]
pub struct GatherSlots {
    /// The cache.
    pub cache: Value,
    /// How it is laid out.
    pub spec: CacheSpec,
}

impl Operation for GatherSlots {
    fn reads(&self) -> Vec<Operand> {
        vec![self.cache.into()]
    }

    fn writes(&self) -> Vec<Value> {
        vec![self.cache]
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeError> {
        let CacheSpec { slots, kv_heads, capacity, head_dim } = self.spec;
        shapes.equal("rows of the cache", shapes.rows(self.cache), slots * kv_heads * capacity)?;
        shapes.equal("width of the cache", shapes.width(self.cache), head_dim)?;
        shapes.whole_vectors(head_dim)?;
        Ok([0, 0])
    }

    fn describe(&self) -> String {
        let CacheSpec { slots, kv_heads, capacity, .. } = self.spec;
        format!("gather_slots {slots} of {kv_heads} heads and {capacity} rows")
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, _: Tensor) {
        let cache = bind.tensor(self.cache);
        gather_slots(e, cache, &self.spec);
    }
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
