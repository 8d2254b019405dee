use super::operand::sequence_rows;
use super::{Bind, Emitter, Operand, Operation, ShapeError, Shapes, Tensor, Value};
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
    /// R, rows of each sequence of the pass; `None` where the pass is one sequence.
    pub sequence_rows: Option<usize>,
}

/// Rotates q and k of fused rows `[T, (H + 2G) * K]`, appends k and v to the caches `[slots * G * capacity, K]` and
/// gives q `[T, H * K]`.
#[derive(Debug, Clone, PartialEq)]
pub struct RopeAppend {
    /// Fused rows.
    pub qkv: Value,
    /// Keys so far.
    pub k_cache: Value,
    /// Values so far.
    pub v_cache: Value,
    /// Heads and frequencies.
    pub spec: RopeSpec,
}

impl Operation for RopeAppend {
    fn reads(&self) -> Vec<Operand> {
        vec![self.qkv.into()]
    }

    fn writes(&self) -> Vec<Value> {
        vec![self.k_cache, self.v_cache]
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeError> {
        let RopeSpec { heads, kv_heads, head_dim, capacity, .. } = self.spec;
        let [rows, width] = shapes.of(self.qkv);
        shapes.equal("width of qkv", width, (heads + 2 * kv_heads) * head_dim)?;
        shapes.supported(
            "the width of a head",
            head_dim,
            head_dim.is_multiple_of(2),
            "an even number: pairs are turned",
        )?;
        for cache in [self.k_cache, self.v_cache] {
            shapes.equal("width of the cache", shapes.width(cache), head_dim)?;
            let (found, slot) = (shapes.rows(cache), (kv_heads * capacity).max(1));
            shapes.equal("rows of the cache", found, found.div_ceil(slot) * slot)?;
        }
        Ok([rows, heads * head_dim])
    }

    fn describe(&self) -> String {
        format!("rope_append theta {}", self.spec.theta)
    }

    fn row_wise(&self) -> Option<Vec<Value>> {
        Some(vec![self.qkv])
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let (qkv, k, v) = (bind.tensor(self.qkv), bind.tensor(self.k_cache), bind.tensor(self.v_cache));
        rope_append(e, qkv, [k, v], &self.spec, bind.first_row(), out);
    }
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
        sequence_rows: sequence_rows(spec.sequence_rows),
        theta: spec.theta,
    };
    let heads = (spec.heads + 2 * spec.kv_heads) as u32;
    let grid = [(spec.head_dim / 2).div_ceil(32) as u32, heads, out.rows as u32];
    let bindings = vec![qkv.handle, out.handle, k_cache.handle, v_cache.handle];
    e.push(KernelId::RopeAppend, bindings, &params, grid);
}
