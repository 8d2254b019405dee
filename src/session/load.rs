use std::ops::Range;

use super::arrivals::Arrivals;
use super::too_large::TooLarge;
use super::weights::{check_shapes, encode, weight_specs};
use super::{Player, Session, SessionOptions, room};
use crate::base::{ErrorKind, Result};
use crate::format::pack::{MANIFEST, Manifest, PackedRows, read_shard};
use crate::format::{Checkpoint, FormatFault};
use crate::graph::record::BufferId;
use crate::graph::{WeightLayout, WeightTable};
use crate::models::paligemma::{self, PaliGemmaConfig};
use crate::models::{Form, WeightSpec, mask_decoder};
use crate::quant::layout;
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

/// A model on its way to a player: memory for all weights is there, and they come in any portions.
pub struct Loader {
    session: Session,
    arrivals: Arrivals,
    done: usize,
    total: usize,
}

impl Loader {
    /// Takes memory for a pack's weights, all of which its manifest tells; [`push`](Self::push) brings them.
    ///
    /// # Errors
    /// A configuration that cannot be run or asks for more weights than the shards can hold, a weight that no binding
    /// holds, a device without memory.
    pub async fn of_pack(player: Player, manifest: &Manifest, fuse: bool) -> Result<Self> {
        let config = PaliGemmaConfig::from_hf(&manifest.config)?;
        let specs = pack_specs(&config, manifest);
        let dtype = |spec: &WeightSpec| stored_dtype(spec, manifest);
        check_lengths(&specs, manifest)?;
        let options = SessionOptions { dtype: manifest.dtype, fuse };
        Self::begin(player, config, &specs, &dtype, options).await
    }

    /// Takes the memory of a question about one picture: `prompt` tokens behind the picture's, at most `new_tokens` of an
    /// answer; and checks its passes against the device's limits.
    ///
    /// # Errors
    /// A device without the memory or limits for it.
    pub async fn make_room(&mut self, prompt: usize, new_tokens: usize) -> Result<()> {
        self.session.make_room(prompt, new_tokens).await
    }

    /// Whether everything is there that a picture is encoded with.
    pub fn can_encode(&self) -> bool {
        self.arrivals.complete(paligemma::of_tower).is_ok()
    }

    /// Encodes a picture `[S, S, 3]` while the decoder's weights are still to come.
    ///
    /// # Errors
    /// A weight of the tower that has not come, a picture of another size, a failing device.
    pub async fn encode(&mut self, picture: &[f32]) -> Result<()> {
        self.arrivals.complete(paligemma::of_tower)?;
        self.session.encode(&[picture]).await
    }

    /// Takes memory for weights in the dtypes that `dtype` says.
    async fn begin(
        mut player: Player,
        config: PaliGemmaConfig,
        specs: &[WeightSpec],
        dtype: &dyn Fn(&WeightSpec) -> Dtype,
        options: SessionOptions,
    ) -> Result<Self> {
        let most = player.capabilities().max_binding_bytes;
        let layouts = specs.iter().map(|spec| {
            let new = if spec.form == Form::Exact { WeightLayout::whole } else { WeightLayout::new };
            new(&spec.name, spec.rows, spec.k, dtype(spec), most)
        });
        let table = WeightTable::new(layouts.collect::<Result<_>>()?);
        room::check(&player, &config, table.layouts().iter().map(|weight| bytes(weight) as u64).sum())?;
        let buffers = match take_memory(&mut player, &table).await {
            Ok(buffers) => buffers,
            Err(cause) if cause.kind() == ErrorKind::OutOfMemory => {
                let needed = specs.iter().map(|spec| spec.bytes(dtype(spec))).sum();
                let given = player.memory().buffers as u64;
                let fits = smaller(specs, options.dtype).find(|&(_, bytes)| bytes <= given);
                return Err(TooLarge { cause, needed, given, dtype: options.dtype, fits }.into());
            }
            Err(cause) => return Err(cause),
        };
        let total = table.layouts().iter().map(bytes).sum();
        let arrivals = Arrivals::new(table.clone());
        Ok(Self { session: Session::new(player, config, options, table, buffers), arrivals, done: 0, total })
    }

    /// Puts the weights of one shard of a pack on the device. Shards come in the manifest's order.
    ///
    /// # Errors
    /// A file that contradicts itself, the manifest or the order; a failing device.
    pub fn push(&mut self, file: &str, bytes: &[u8]) -> Result<LoadProgress> {
        read_shard(file, bytes, &mut |part| {
            let index = self.arrivals.admit(file, &part)?;
            self.put(index, &part)
        })?;
        Ok(self.progress())
    }

    /// Writes the next rows of a weight to its buffers. Their number is even, or they are the last.
    fn put(&mut self, index: usize, part: &PackedRows<'_>) -> Result<()> {
        let weight = &self.arrivals.weights()[index];
        let layout = layout(weight.dtype, weight.k);
        let (player, buffers) = self.session.weight_buffers(index);
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

    /// What executes the model.
    pub fn player(&self) -> &Player {
        self.session.player()
    }

    /// Makes a first question need nothing but weights; see [`Session::prepare`].
    ///
    /// # Errors
    /// A device without the memory or limits for it.
    pub async fn prepare(&mut self, prompt: usize, new_tokens: usize) -> Result<()> {
        self.session.prepare(prompt, new_tokens).await
    }

    /// The model, once all weights are there.
    ///
    /// # Errors
    /// A weight that has not come.
    pub fn finish(self) -> Result<Session> {
        self.arrivals.complete(|_| true)?;
        Ok(self.session)
    }

    /// Takes memory for a checkpoint's weights; [`read`](Self::read) converts them.
    ///
    /// # Errors
    /// A tensor that is missing or has another shape than the configuration says, a row that no binding holds, a device
    /// without memory.
    pub async fn of_checkpoint(
        player: Player,
        config: PaliGemmaConfig,
        checkpoint: &Checkpoint<'_>,
        options: SessionOptions,
    ) -> Result<Self> {
        let specs = weight_specs(&config, checkpoint);
        check_shapes(&specs, checkpoint)?;
        Self::begin(player, config, &specs, &|spec| spec.kept_in(options.dtype), options).await
    }

    /// Converts the weights of the checkpoint chunk by chunk on their way to the player.
    ///
    /// # Errors
    /// A failing device, or what `progress` returns.
    pub fn read(
        &mut self,
        checkpoint: &Checkpoint<'_>,
        progress: &mut dyn FnMut(LoadProgress) -> Result<()>,
    ) -> Result<()> {
        for (index, spec) in weight_specs(self.session.config(), checkpoint).iter().enumerate() {
            let dtype = spec.kept_in(self.session.dtype());
            for rows in chunks(spec) {
                let (first_row, count) = (rows.start, rows.len());
                let (data, scales) = encode(spec, rows, dtype, checkpoint)?;
                let part =
                    PackedRows { weight: &spec.name, first_row, rows: count, dtype, data: &data, scales: &scales };
                self.arrivals.admit("the checkpoint", &part)?;
                self.put(index, &part)?;
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

/// Checks the weights of a pack without a device.
pub struct PackCheck(Arrivals);

impl PackCheck {
    /// What a manifest promises.
    ///
    /// # Errors
    /// A configuration that cannot be run.
    pub fn new(manifest: &Manifest) -> Result<Self> {
        let config = PaliGemmaConfig::from_hf(&manifest.config)?;
        let specs = pack_specs(&config, manifest);
        let layouts = specs
            .iter()
            .map(|spec| WeightLayout::new(&spec.name, spec.rows, spec.k, stored_dtype(spec, manifest), usize::MAX));
        Ok(Self(Arrivals::new(WeightTable::new(layouts.collect::<Result<_>>()?))))
    }

    /// Looks at one shard.
    ///
    /// # Errors
    /// A file that contradicts itself, the manifest or the order.
    pub fn push(&mut self, file: &str, bytes: &[u8]) -> Result<()> {
        read_shard(file, bytes, &mut |part| self.0.admit(file, &part).map(|_| ()))
    }

    /// Whether everything was there.
    ///
    /// # Errors
    /// A weight that has not come.
    pub fn finish(self) -> Result<()> {
        self.0.complete(|_| true)
    }
}

/// All weights of a pack in order of execution.
pub fn pack_specs(config: &PaliGemmaConfig, manifest: &Manifest) -> Vec<WeightSpec> {
    let mut specs = paligemma::weights(config);
    if manifest.mask_decoder {
        specs.extend(mask_decoder::weights());
    }
    specs
}

/// How a pack stores a weight.
pub fn stored_dtype(spec: &WeightSpec, manifest: &Manifest) -> Dtype {
    spec.kept_in(if manifest.f16.contains(&spec.name) { Dtype::F16 } else { manifest.dtype })
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

/// Fails where a configuration asks for more than all shards can hold: nothing is allocated for what cannot come.
fn check_lengths(specs: &[WeightSpec], manifest: &Manifest) -> Result<(), FormatFault> {
    let needed: u64 = specs.iter().map(|spec| spec.bytes(stored_dtype(spec, manifest))).sum();
    let held = manifest.shards.iter().fold(0u64, |sum, shard| sum.saturating_add(shard.bytes));
    if needed <= held {
        return Ok(());
    }
    Err(FormatFault::Weights {
        file: MANIFEST.into(),
        what: "the length of all shards".into(),
        found: format!("{held} bytes"),
        expected: format!("at least the {needed} bytes of weights that its config asks for"),
    })
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> Range<usize> {
    a.start.max(b.start)..a.end.min(b.end).max(a.start.max(b.start))
}

/// Bytes of a weight on the device.
pub(super) fn bytes(weight: &WeightLayout) -> usize {
    let layout = layout(weight.dtype, weight.k);
    weight.shards.iter().map(|s| layout.data_bytes(s.len()) + layout.scale_bytes(s.len())).sum()
}
