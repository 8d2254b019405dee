use super::{Bind, Emitter, Operand, Operation, ShapeError, Shapes, Tensor, Value, WeightId, WeightOperand};
use crate::kernels::KernelId;
use crate::kernels::params::{EmbedParams, PlaceRowsParams};
use crate::quant::layout;
use crate::tensor::Dtype;

/// Rows of `table` `[V, D]` by `ids` `[T, 1]`, times `scale`; ids with the top bit set take a row of `features` `[R,
/// D]` as it is. `[T, D]` out.
#[derive(Debug, Clone, PartialEq)]
pub struct Embed {
    /// Which rows.
    pub ids: Value,
    /// The rows.
    pub table: WeightId,
    /// Rows that are no tokens'.
    pub features: Option<Value>,
    /// Factor on rows of the table.
    pub scale: f32,
}

impl Operation for Embed {
    fn reads(&self) -> Vec<Operand> {
        [self.ids.into(), self.table.into()].into_iter().chain(self.features.map(Operand::from)).collect()
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeError> {
        let [_, width] = shapes.weight(self.table);
        shapes.equal("ids per row", shapes.width(self.ids), 1)?;
        if let Some(features) = self.features {
            shapes.equal("width of the features", shapes.width(features), width)?;
        }
        shapes.whole_vectors(width)?;
        Ok([shapes.rows(self.ids), width])
    }

    fn describe(&self) -> String {
        format!("embed scale {}", self.scale)
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let (ids, table) = (bind.tensor(self.ids), bind.weight(self.table));
        let features = self.features.map(|features| bind.tensor(features));
        embed(e, ids, &table, features, self.scale, out);
    }
}

/// Rows of `table` by id, times `scale`: one dispatch per shard, each writing the ids that it holds. Ids with the top
/// bit set take a row of `features`, unscaled.
pub fn embed(e: &mut Emitter, ids: Tensor, table: &WeightOperand, features: Option<Tensor>, scale: f32, out: Tensor) {
    let bytes = layout(table.dtype, table.k);
    let kernel = match table.dtype {
        Dtype::F32 => KernelId::EmbedF32,
        Dtype::F16 => KernelId::EmbedF16,
        Dtype::Q8 => KernelId::EmbedQ8,
        Dtype::Q4 => KernelId::EmbedQ4,
    };
    let grid = [out.width.div_ceil(4 * 64) as u32, out.rows as u32, 1];
    for shard in &table.shards {
        let params = EmbedParams {
            tokens: out.rows as u32,
            width: out.width as u32,
            first_row: shard.first_row as u32,
            rows: shard.rows as u32,
            row_words: (bytes.row_bytes / 4) as u32,
            row_scales: bytes.row_scales as u32,
            scale,
            ..Default::default()
        };
        let mut bindings = vec![ids.handle, shard.data];
        bindings.extend(shard.scales);
        bindings.push(out.handle);
        e.push(kernel, bindings, &params, grid);
    }
    if let Some(features) = features {
        let params = PlaceRowsParams {
            tokens: out.rows as u32,
            width: out.width as u32,
            feature_rows: features.rows as u32,
            ..Default::default()
        };
        let bindings = vec![ids.handle, features.handle, out.handle];
        e.push(KernelId::PlaceRows, bindings, &params, grid);
    }
}
