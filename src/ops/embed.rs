use super::{Emitter, Tensor, WeightOperand};
use crate::kernels::KernelId;
use crate::kernels::params::{EmbedParams, PlaceRowsParams};
use crate::quant::layout;
use crate::tensor::Dtype;

/// Rows of `table` by id, times `scale`: one dispatch per shard, each writing the ids that it holds. Ids with the top
/// bit set take a row of `features`, unscaled.
pub fn embed(e: &mut Emitter, ids: Tensor, table: &WeightOperand, features: Option<Tensor>, scale: f32, out: Tensor) {
    let bytes = layout(table.dtype, table.k);
    let kernel = match table.dtype {
        Dtype::F32 | Dtype::U32 => KernelId::EmbedF32,
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
