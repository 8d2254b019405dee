use std::ops::Range;

use super::{Player, SessionFault};
use crate::base::Result;
use crate::format::Checkpoint;
use crate::graph::record::BufferId;
use crate::graph::{WeightLayout, WeightTable};
use crate::models::paligemma::{self, PaliGemmaConfig};
use crate::models::{Form, Source, WeightSpec, mask_decoder};
use crate::quant::{encode_rows, layout};
use crate::tensor::Dtype;

/// How far the loading of weights has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadProgress {
    /// Bytes on the device.
    pub done: usize,
    /// Bytes in all.
    pub total: usize,
}

/// The buffers of one shard.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShardBuffers {
    pub data: BufferId,
    pub scales: Option<BufferId>,
}

/// f32 values converted at a time: bounds what loading holds in host memory.
const CHUNK_VALUES: usize = 1 << 20;

/// The weights of a model in order of execution, with those of a mask decoder if the checkpoint has one.
pub fn weight_specs(config: &PaliGemmaConfig, checkpoint: &Checkpoint<'_>) -> Vec<WeightSpec> {
    let mut specs = paligemma::weights(config);
    if checkpoint.shape(mask_decoder::CODEBOOK_TENSOR).is_ok() {
        specs.extend(mask_decoder::weights());
    }
    specs
}

/// The dtype and the shards of every weight for a device.
pub(super) fn layouts(specs: &[WeightSpec], dtype: Dtype, max_binding_bytes: usize) -> Result<WeightTable> {
    let layouts = specs.iter().map(|spec| {
        let dtype = if spec.form == Form::Exact { Dtype::F32 } else { dtype };
        WeightLayout::new(&spec.name, spec.rows, spec.k, dtype, max_binding_bytes)
    });
    Ok(WeightTable::new(layouts.collect::<Result<_>>()?))
}

/// Bytes of a weight on the device.
pub(super) fn bytes(weight: &WeightLayout) -> usize {
    let layout = layout(weight.dtype, weight.k);
    weight.shards.iter().map(|s| layout.data_bytes(s.len()) + layout.scale_bytes(s.len())).sum()
}

/// Checks every tensor's shape against the configuration, before anything is allocated.
pub(super) fn check_shapes(specs: &[WeightSpec], checkpoint: &Checkpoint<'_>) -> Result<()> {
    for spec in specs {
        let (parts, paired): (Vec<&String>, bool) = match &spec.source {
            Source::Concat(names) => (names.iter().collect(), false),
            Source::Interleave(even, odd) => (vec![even, odd], true),
            Source::Transposed(name) => (vec![name], false),
        };
        let (expected, k) = match &spec.source {
            Source::Transposed(_) => (spec.k, spec.rows),
            // A vector is one row, however many axes its tensor has.
            _ if spec.rows == 1 => (spec.k, 1),
            _ => (spec.rows, spec.k),
        };
        let mut rows = 0;
        for (n, name) in parts.iter().enumerate() {
            let shape = checkpoint.shape(name)?;
            let found = rows_of(spec, &shape);
            rows += found.0;
            let complete = n + 1 < parts.len() || rows == expected;
            let even = !paired || found.0 == expected / 2;
            if found.1 != k || !complete || !even {
                let fault = SessionFault::Shape { name: (*name).clone(), found: shape, rows: spec.rows, k: spec.k };
                return Err(fault.into());
            }
        }
    }
    Ok(())
}

/// Rows and row length of a source tensor; a vector counts its elements as rows.
fn rows_of(spec: &WeightSpec, shape: &[usize]) -> (usize, usize) {
    match shape {
        _ if spec.rows == 1 => (shape.iter().product(), 1),
        [] => (1, 1),
        [n, rest @ ..] => (*n, rest.iter().product()),
    }
}

/// Creates the buffers of every weight and fills them, a bounded chunk at a time.
pub(super) async fn upload(
    player: &mut Player,
    specs: &[WeightSpec],
    table: &WeightTable,
    checkpoint: &Checkpoint<'_>,
    progress: &mut dyn FnMut(LoadProgress) -> Result<()>,
) -> Result<Vec<Vec<ShardBuffers>>> {
    let total = table.layouts().iter().map(bytes).sum();
    let mut done = 0;
    let mut values = Vec::new();
    let mut buffers = Vec::with_capacity(specs.len());
    for (spec, weight) in specs.iter().zip(table.layouts()) {
        let bytes = layout(weight.dtype, weight.k);
        // An even number of rows keeps the f16 scales of a chunk on whole words.
        let chunk = (CHUNK_VALUES / weight.k.max(1) / 2 * 2).max(2);
        let mut shards = Vec::with_capacity(weight.shards.len());
        for shard in &weight.shards {
            let label = &weight.name;
            let data = player.create_buffer(label, bytes.data_bytes(shard.len())).await?;
            let scales = match bytes.row_scales {
                0 => None,
                _ => Some(player.create_buffer(label, bytes.scale_bytes(shard.len())).await?),
            };
            for first in (shard.start..shard.end).step_by(chunk) {
                let rows = first..(first + chunk).min(shard.end);
                values.clear();
                gather(spec, rows.clone(), checkpoint, &mut values)?;
                let encoded = encode_rows(weight.dtype, &values, weight.k)?;
                let at = first - shard.start;
                player.write_buffer(data, bytes.data_bytes(at), &encoded.data)?;
                done += encoded.data.len();
                if let Some(scales) = scales {
                    player.write_buffer(scales, bytes.row_scales * at * 2, &encoded.scales)?;
                    done += encoded.scales.len();
                }
                progress(LoadProgress { done, total })?;
            }
            shards.push(ShardBuffers { data, scales });
        }
        buffers.push(shards);
    }
    Ok(buffers)
}

/// Appends rows `range` of a weight, put together from its sources.
fn gather(spec: &WeightSpec, range: Range<usize>, checkpoint: &Checkpoint<'_>, out: &mut Vec<f32>) -> Result<()> {
    match &spec.source {
        Source::Concat(names) if spec.rows == 1 => {
            for name in names {
                let rows = checkpoint.shape(name)?.first().copied().unwrap_or(1);
                checkpoint.read_rows(name, 0..rows, out)?;
            }
        }
        Source::Concat(names) => {
            let mut first = 0;
            for name in names {
                let end = first + checkpoint.shape(name)?.first().copied().unwrap_or(1);
                let (from, to) = (range.start.max(first), range.end.min(end));
                if from < to {
                    checkpoint.read_rows(name, from - first..to - first, out)?;
                }
                first = end;
            }
        }
        Source::Transposed(name) => {
            let mut columns = Vec::new();
            checkpoint.read_rows(name, 0..spec.k, &mut columns)?;
            for row in range {
                out.extend((0..spec.k).map(|k| columns[k * spec.rows + row]));
            }
        }
        Source::Interleave(even, odd) => {
            for row in range {
                let name = if row % 2 == 0 { even } else { odd };
                checkpoint.read_rows(name, row / 2..row / 2 + 1, out)?;
            }
        }
    }
    Ok(())
}
