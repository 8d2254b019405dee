use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::kv_cache::cache_bytes;
use super::load_ledger::LoadLedger;
use super::pack_weights::{PackWeights, open_pack};
use super::session::ShardBuffers;
use super::too_large::TooLarge;
use super::weights::{check_tensors, encode};
use super::{Player, Session, SessionOptions, memory_check};
use crate::base::{ErrorKind, Result};
use crate::format::Checkpoint;
use crate::format::pack::{Manifest, PackedRows, read_shard};
use crate::graph::{WeightLayout, WeightSpec, WeightTable};
use crate::models::{self, Architecture, Part, Pass};
use crate::quant::layout;
use crate::tensor::Dtype;

/// How far the loading of weights has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadProgress {
    /// Bytes on the device.
    pub done: usize,
    /// Bytes that the device will hold when all weights are there.
    pub total: usize,
}

/// f32 values converted at a time: bounds what loading holds in host memory.
const CHUNK_VALUES: usize = 1 << 20;

/// Brings weights to a session that has memory for all of them; they come in any portions.
pub struct Loader {
    ledger: LoadLedger,
    done: usize,
    total: usize,
}

impl Loader {
    /// Takes memory for a pack's weights, all of which its manifest tells; [`push`](Self::push) brings them.
    ///
    /// # Errors
    /// A configuration that cannot be run, contradicts the manifest or asks for more weights than the shards can hold, a
    /// weight that no binding holds, a device without memory.
    pub async fn of_pack(player: Player, manifest: &Manifest, fuse: bool) -> Result<(Session, Self)> {
        Self::of_groups(player, manifest, None, fuse).await
    }

    /// The same for some parts of the model: only the shards of [`PackWeights::shards`] are to come.
    ///
    /// # Errors
    /// As of [`of_pack`](Self::of_pack), and a part that the pack does not have.
    pub async fn of_parts(player: Player, manifest: &Manifest, parts: &[&str], fuse: bool) -> Result<(Session, Self)> {
        Self::of_groups(player, manifest, Some(parts), fuse).await
    }

    async fn of_groups(
        player: Player,
        manifest: &Manifest,
        parts: Option<&[&str]>,
        fuse: bool,
    ) -> Result<(Session, Self)> {
        let architecture = open_pack(manifest)?;
        let weights = PackWeights::of(architecture.as_ref(), manifest, parts)?;
        let (options, places) = (SessionOptions { dtype: manifest.dtype, fuse }, weights.places());
        let dtype = |spec: &WeightSpec| weights.dtype(spec);
        let decodes = |part: &Part| matches!(part.pass, Pass::Decoder(_)) && weights.covers(part.name);
        let caches = match architecture.parts().iter().any(decodes) {
            true => cache_bytes(architecture.as_ref())?,
            false => 0,
        };
        Self::begin(player, architecture, &weights.specs, &dtype, options, Some(places), caches).await
    }

    /// Takes memory for a checkpoint's weights; [`read`](Self::read) converts them.
    ///
    /// # Errors
    /// A tensor that is missing or has another shape than the configuration says, a row that no binding holds, a device
    /// without memory.
    pub async fn of_checkpoint(
        player: Player,
        architecture: Box<dyn Architecture>,
        checkpoint: &Checkpoint<'_>,
        options: SessionOptions,
    ) -> Result<(Session, Self)> {
        let specs = checkpoint_specs(architecture.as_ref(), checkpoint)?;
        check_tensors(architecture.as_ref(), &specs, checkpoint)?;
        let caches = cache_bytes(architecture.as_ref())?;
        Self::begin(player, architecture, &specs, &|spec| spec.kept_in(options.dtype), options, None, caches).await
    }

    /// Takes memory for weights in the dtypes that `dtype` says, if there is as much as they and `caches` bytes need.
    async fn begin(
        mut player: Player,
        architecture: Box<dyn Architecture>,
        specs: &[WeightSpec],
        dtype: &dyn Fn(&WeightSpec) -> Dtype,
        options: SessionOptions,
        places: Option<HashMap<String, Range<usize>>>,
        caches: u64,
    ) -> Result<(Session, Self)> {
        let table = WeightTable::of(specs, dtype, player.capabilities().max_binding_bytes)?;
        let weights = specs.iter().map(|spec| spec.bytes(dtype(spec))).sum();
        memory_check::check(&player, weights, caches)?;
        let buffers = match take_memory(&mut player, &table).await {
            Ok(buffers) => buffers,
            Err(cause) if cause.kind() == ErrorKind::OutOfMemory => {
                let given = player.memory().buffers as u64;
                let fits = smaller(specs, options.dtype).find(|&(_, bytes)| bytes <= given);
                return Err(TooLarge { cause, needed: weights, given, dtype: options.dtype, fits }.into());
            }
            Err(cause) => return Err(cause),
        };
        let total = table.layouts().iter().map(WeightLayout::bytes).sum();
        let ledger = LoadLedger::new(table.clone(), places);
        Ok((Session::new(player, architecture, options, table, buffers), Self { ledger, done: 0, total }))
    }

    /// Fails unless all weights of a pass have come.
    ///
    /// # Errors
    /// A weight that has not.
    pub fn complete(&self, session: &Session, pass: &Pass) -> Result<()> {
        let graph = session.architecture().build(pass)?;
        let needed: HashSet<&str> = graph.weights().iter().map(|weight| weight.name.as_str()).collect();
        self.ledger.complete(|name| needed.contains(name))
    }

    /// Puts the weights of one shard of a pack on the device. Shards come in the manifest's order.
    ///
    /// # Errors
    /// A file that contradicts itself, the manifest or the order; a failing device.
    pub fn push(&mut self, session: &mut Session, file: &str, bytes: &[u8]) -> Result<LoadProgress> {
        read_shard(file, bytes, &mut |part| {
            let index = self.ledger.admit(file, &part)?;
            self.put(session, index, &part)
        })?;
        Ok(self.progress())
    }

    /// Writes the next rows of a weight to its buffers. Their number is even, or they are the last.
    fn put(&mut self, session: &mut Session, index: usize, part: &PackedRows<'_>) -> Result<()> {
        let weight = &self.ledger.weights()[index];
        let layout = layout(weight.dtype, weight.k);
        let (player, buffers) = session.weight_buffers(index);
        for (shard, buffers) in weight.shards.iter().zip(buffers) {
            let rows = overlap(&(part.first_row..part.first_row + part.rows), shard);
            if rows.is_empty() {
                continue;
            }
            let (from, to) = (rows.start - part.first_row, rows.start - shard.start);
            let data = &part.data[layout.data_bytes(from)..][..layout.data_bytes(rows.len())];
            player.write_buffer(buffers.data, layout.data_bytes(to), data)?;
            if let Some(buffer) = buffers.scales {
                let row = layout.row_scales * 2;
                let mut scales = part.scales[row * from..][..row * rows.len()].to_vec();
                // The last row of an odd number of scales ends within a word.
                scales.resize(scales.len().next_multiple_of(4), 0);
                player.write_buffer(buffer, row * to, &scales)?;
            }
        }
        self.done += layout.data_bytes(part.rows) + layout.scale_bytes(part.rows);
        Ok(())
    }

    /// How far it has come.
    pub fn progress(&self) -> LoadProgress {
        LoadProgress { done: self.done, total: self.total }
    }

    /// Ends the load.
    ///
    /// # Errors
    /// A weight that has not come.
    pub fn finish(self) -> Result<()> {
        self.ledger.complete(|_| true)
    }

    /// Converts the weights of the checkpoint chunk by chunk on their way to the player.
    ///
    /// # Errors
    /// A failing device, or what `progress` returns.
    pub fn read(
        &mut self,
        session: &mut Session,
        checkpoint: &Checkpoint<'_>,
        progress: &mut dyn FnMut(LoadProgress) -> Result<()>,
    ) -> Result<()> {
        let specs = checkpoint_specs(session.architecture(), checkpoint)?;
        for (index, spec) in specs.iter().enumerate() {
            let dtype = spec.kept_in(session.dtype());
            for rows in chunks(spec) {
                let (first_row, count) = (rows.start, rows.len());
                let (data, scales) = encode(spec, rows, dtype, checkpoint)?;
                let part =
                    PackedRows { weight: &spec.name, first_row, rows: count, dtype, data: &data, scales: &scales };
                self.ledger.admit("the checkpoint", &part)?;
                self.put(session, index, &part)?;
                progress(self.progress())?;
            }
        }
        Ok(())
    }
}

/// A weight's rows in portions that are converted at a time; an even number, so that the scales of a portion fill whole
/// words.
pub fn chunks(spec: &WeightSpec) -> impl Iterator<Item = Range<usize>> + use<> {
    let (rows, step) = (spec.rows, (CHUNK_VALUES / spec.k.max(1) / 2 * 2).max(2));
    (0..rows).step_by(step).map(move |first| first..(first + step).min(rows))
}

impl Session {
    /// Puts a model on a player, weights converted chunk by chunk.
    ///
    /// # Errors
    /// A tensor that is missing or has another shape than the configuration says (checked before anything is
    /// allocated), a row that no binding holds, a device without memory, or what `progress` returns.
    pub async fn load(
        player: Player,
        architecture: Box<dyn Architecture>,
        checkpoint: &Checkpoint<'_>,
        options: SessionOptions,
        progress: &mut dyn FnMut(LoadProgress) -> Result<()>,
    ) -> Result<Self> {
        let (mut session, mut loader) = Loader::of_checkpoint(player, architecture, checkpoint, options).await?;
        loader.read(&mut session, checkpoint, progress)?;
        loader.finish()?;
        Ok(session)
    }
}

/// All weights of a checkpoint in order of execution, those of optional parts where it has them.
///
/// # Errors
/// A configuration that no graph can be built of.
pub fn checkpoint_specs(architecture: &dyn Architecture, checkpoint: &Checkpoint<'_>) -> Result<Vec<WeightSpec>> {
    let parts = checkpoint_parts(architecture, checkpoint);
    Ok(models::weight_specs(architecture, &parts)?)
}

/// The parts of a model that a checkpoint has.
pub fn checkpoint_parts(architecture: &dyn Architecture, checkpoint: &Checkpoint<'_>) -> Vec<Part> {
    let there = |part: &Part| part.optional.is_none_or(|tensor| checkpoint.shape(tensor).is_ok());
    architecture.parts().into_iter().filter(there).collect()
}

/// What all weights would take in the dtypes that are smaller than this one, from large to small.
fn smaller(specs: &[WeightSpec], than: Dtype) -> impl Iterator<Item = (Dtype, u64)> {
    let order = [Dtype::F32, Dtype::F16, Dtype::Q8, Dtype::Q4];
    let smaller = order.into_iter().skip_while(move |&dtype| dtype != than).skip(1);
    smaller.map(|dtype| (dtype, specs.iter().map(|spec| spec.bytes(dtype)).sum()))
}

/// Makes the buffers of all weights.
async fn take_memory(player: &mut Player, table: &WeightTable) -> Result<Vec<Vec<ShardBuffers>>> {
    let mut buffers = Vec::with_capacity(table.layouts().len());
    for weight in table.layouts() {
        let bytes = layout(weight.dtype, weight.k);
        let mut shards = Vec::with_capacity(weight.shards.len());
        for shard in &weight.shards {
            let data = player.create_buffer(&weight.name, bytes.data_bytes(shard.len())).await?;
            let scales = match bytes.row_scales {
                0 => None,
                _ => Some(player.create_buffer(&weight.name, bytes.scale_bytes(shard.len())).await?),
            };
            shards.push(ShardBuffers { data, scales });
        }
        buffers.push(shards);
    }
    Ok(buffers)
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> Range<usize> {
    a.start.max(b.start)..a.end.min(b.end).max(a.start.max(b.start))
}
