//! A player without a session: weights and states uploaded by hand, so that values inside a graph can be looked at.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use half::{bf16, f16};
use ocelli::graph::record::BufferId;
use ocelli::graph::{
    Command, ExternalKey, Graph, Plan, Role, Source, StateKind, WeightPart, WeightSpec, WeightTable, fuse, lower,
};
use ocelli::kernels::{Capabilities, Step};
use ocelli::models::paligemma::PaliGemma;
use ocelli::models::{self, Architecture};
use ocelli::quant::encode_rows;
use ocelli::session::Player;
use ocelli::tensor::Dtype;
use pollster::block_on;
use safetensors::SafeTensors;

use super::pool::{self, Place};

/// Calls the same method of either player.
macro_rules! on {
    ($player:expr, $one:ident => $call:expr) => {
        match $player {
            Player::Cpu($one) => $call.map_err(|error| error.to_string()),
            Player::Gpu($one) => $call.map_err(|error| error.to_string()),
        }
    };
}

fn upload(player: &mut Player, label: &str, bytes: &[u8]) -> Result<BufferId, String> {
    let id = on!(player, one => block_on(one.create_buffer(label, bytes.len())))?;
    on!(player, one => one.write_buffer(id, 0, bytes))?;
    Ok(id)
}

fn free(player: &mut Player, id: BufferId) {
    match player {
        Player::Cpu(one) => one.free_buffer(id),
        Player::Gpu(one) => one.free_buffer(id),
    }
}

/// Plays a plan once and reads whole buffers.
fn play(
    player: &mut Player,
    plan: &Plan,
    ids: &[BufferId],
    step: &Step,
    wanted: &[(BufferId, usize)],
) -> Result<Vec<Vec<f32>>, String> {
    let loaded = on!(player, one => block_on(one.load(&plan.recording, ids)))?;
    on!(player, one => one.play(loaded, step, &[]).and_then(block_on))?;
    let mut values = Vec::new();
    for &(id, bytes) in wanted {
        let bytes = on!(player, one => block_on(one.read_buffer(id, 0, bytes)))?;
        values.push(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect());
    }
    match player {
        Player::Cpu(one) => one.unload(loaded),
        Player::Gpu(one) => one.unload(loaded),
    }
    Ok(values)
}

/// A model's weights on a device.
pub struct Bare<A = PaliGemma> {
    place: Place,
    /// There until it is dropped.
    player: Option<Player>,
    pub architecture: A,
    table: WeightTable,
    weights: HashMap<ExternalKey, BufferId>,
    /// Graphs are lowered as if a binding could hold no more bytes than this.
    pub most: usize,
    /// Whether graphs are fused first, as in a session.
    pub fuse: bool,
    /// Copies of the last plan: there are some where rows were done in chunks.
    pub copies: usize,
}

impl Bare<Box<dyn Architecture>> {
    /// Puts a checkpoint of an architecture on a device, all weights in `dtype`.
    pub fn load_as(
        place: Place,
        architecture: Box<dyn Architecture>,
        directory: &Path,
        dtype: Dtype,
    ) -> Result<Self, String> {
        let canonical = architecture.checkpoint_rules().canonical;
        let tensors = tensors(directory)?.into_iter().map(|(name, tensor)| (canonical(&name), tensor)).collect();
        let specs = models::weight_specs(architecture.as_ref(), &architecture.parts()).map_err(|e| e.to_string())?;
        Self::put(place, architecture, &specs, dtype, &|spec| gather(spec, &tensors))
    }
}

impl Bare {
    /// Puts a checkpoint with hub-style tensor names on a device, all weights in `dtype`.
    pub fn load(place: Place, directory: &Path, dtype: Dtype) -> Result<Self, String> {
        let text = fs::read_to_string(directory.join("config.json")).map_err(|error| error.to_string())?;
        let json = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let architecture = PaliGemma::from_hf(&json).map_err(|error| error.to_string())?;
        let tensors = tensors(directory)?;
        Self::fill(place, architecture, dtype, &|spec| gather(spec, &tensors))
    }

    /// Puts weights `[rows, k]` on a device.
    pub fn fill(
        place: Place,
        architecture: PaliGemma,
        dtype: Dtype,
        values: &dyn Fn(&WeightSpec) -> Result<Vec<f32>, String>,
    ) -> Result<Self, String> {
        let parts = architecture.parts();
        let specs = models::weight_specs(&architecture, parts.iter().filter(|part| part.optional.is_none()))
            .map_err(|error| error.to_string())?;
        Self::put(place, architecture, &specs, dtype, values)
    }
}

impl<A> Bare<A> {
    fn put(
        place: Place,
        architecture: A,
        specs: &[WeightSpec],
        dtype: Dtype,
        values: &dyn Fn(&WeightSpec) -> Result<Vec<f32>, String>,
    ) -> Result<Self, String> {
        let mut player = pool::take(place)?;
        let limit = player.capabilities().max_binding_bytes;
        let table = WeightTable::of(specs, |spec| spec.kept_in(dtype), limit).map_err(|error| error.to_string())?;
        let mut weights = HashMap::new();
        for (weight, (spec, layout)) in specs.iter().zip(table.layouts()).enumerate() {
            let dtype = layout.dtype;
            let values = values(spec)?;
            for (shard, rows) in layout.shards.iter().enumerate() {
                let values = &values[rows.start * spec.k..rows.end * spec.k];
                let encoded = encode_rows(dtype, values, spec.k).map_err(|error| error.to_string())?;
                let mut add = |part, bytes: &[u8]| {
                    let id = upload(&mut player, &spec.name, bytes)?;
                    weights.insert(ExternalKey::Weight { weight, shard, part }, id);
                    Ok::<_, String>(())
                };
                add(WeightPart::Data, &encoded.data)?;
                if !encoded.scales.is_empty() {
                    add(WeightPart::Scales, &encoded.scales)?;
                }
            }
        }
        Ok(Self { place, player: Some(player), architecture, table, weights, most: limit, fuse: true, copies: 0 })
    }

    /// Runs a graph once with the given states and reads the values or states of that name, in the order asked.
    ///
    /// States that are not given start as zeros.
    pub fn run(
        &mut self,
        mut graph: Graph,
        step: &Step,
        states: &[(&str, &[u8])],
        wanted: &[&str],
    ) -> Result<Vec<Vec<f32>>, String> {
        let mut sizes = Vec::new();
        for name in wanted {
            if let Some(state) = graph.states().iter().find(|state| state.name == **name) {
                sizes.push((state.name.clone(), state.bytes()));
                continue;
            }
            let value = graph.find(name).ok_or_else(|| format!("the graph has no value {name}"))?;
            let tap = format!("tap {name}");
            sizes.push((tap.clone(), graph.rows(value) * graph.width(value) * 4));
            let stored = graph.store(value, &tap, StateKind::Output);
            stored.map_err(|error| error.to_string())?;
        }
        let player = self.player.as_mut().ok_or("the player is gone")?;
        let graph = if self.fuse { fuse(graph) } else { graph };
        let capabilities = Capabilities { max_binding_bytes: self.most, ..player.capabilities().clone() };
        let plan = lower(&graph, &self.table, &capabilities).map_err(|error| error.to_string())?;
        let copies = plan.recording.commands.iter().filter(|command| matches!(command, Command::Copy { .. }));
        self.copies = copies.count();
        let scratch = plan.recording.buffers.iter().filter(|buffer| buffer.role == Role::Scratch);
        if let Some(large) = scratch.max_by_key(|buffer| buffer.bytes).filter(|buffer| buffer.bytes > self.most) {
            return Err(format!("{} bytes in {}, and a binding holds {}", large.bytes, large.label, self.most));
        }
        let (mut ids, mut made, mut taps) = (Vec::new(), Vec::new(), HashMap::new());
        for (n, key) in plan.externals.iter().enumerate() {
            if let Some(&id) = self.weights.get(key) {
                ids.push(id);
                continue;
            }
            let ExternalKey::State(state) = key else { return Err(format!("{key:?} was not uploaded")) };
            let declared = plan.recording.buffers.iter().find(|b| b.role == Role::External(n as u32));
            let mut bytes = vec![0; declared.map_or(4, |b| b.bytes)];
            if let Some((_, given)) = states.iter().find(|(name, _)| name == state) {
                bytes[..given.len()].copy_from_slice(given);
            } else if sizes.iter().any(|(wanted, _)| wanted == state) {
                // What is not written must show.
                bytes.fill(0xff);
            }
            let id = upload(player, state, &bytes)?;
            ids.push(id);
            made.push(id);
            taps.insert(state.clone(), id);
        }
        let reads: Vec<_> = sizes.iter().map(|(state, bytes)| (taps[state], *bytes)).collect();
        let values = play(player, &plan, &ids, step, &reads);
        made.into_iter().for_each(|id| free(player, id));
        values
    }
}

impl<A> Drop for Bare<A> {
    fn drop(&mut self) {
        if let Some(mut player) = self.player.take() {
            self.weights.values().for_each(|&id| free(&mut player, id));
            pool::put(self.place, player);
        }
    }
}

/// Tensors by name: shape and values.
pub type Tensors = HashMap<String, (Vec<usize>, Vec<f32>)>;

/// Every tensor of a checkpoint as f32.
pub fn tensors(directory: &Path) -> Result<Tensors, String> {
    let mut all = HashMap::new();
    for entry in fs::read_dir(directory).map_err(|error| error.to_string())?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !(name.starts_with("model") && name.ends_with(".safetensors")) {
            continue;
        }
        let bytes = fs::read(entry.path()).map_err(|error| error.to_string())?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| format!("{name}: {error}"))?;
        for (name, view) in file.tensors() {
            let halves = || view.data().chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]]));
            let values = match view.dtype() {
                safetensors::Dtype::F32 => {
                    view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
                }
                safetensors::Dtype::F16 => halves().map(|bits| f16::from_bits(bits).to_f32()).collect(),
                safetensors::Dtype::BF16 => halves().map(|bits| bf16::from_bits(bits).to_f32()).collect(),
                other => return Err(format!("{name} is {other:?}")),
            };
            all.insert(name, (view.shape().to_vec(), values));
        }
    }
    Ok(all)
}

/// A weight `[rows, k]` put together from its tensors.
fn gather(spec: &WeightSpec, tensors: &Tensors) -> Result<Vec<f32>, String> {
    let tensor = |name: &String| {
        tensors.get(name).map(|(_, values)| values).ok_or_else(|| format!("the checkpoint has no {name}"))
    };
    match &spec.source {
        Source::Concat(names) => {
            Ok(names.iter().map(tensor).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().copied().collect())
        }
        Source::Transposed(name) => {
            let (_, values) = tensors.get(name).ok_or_else(|| format!("the checkpoint has no {name}"))?;
            Ok((0..spec.rows * spec.k).map(|at| values[at % spec.k * spec.rows + at / spec.k]).collect())
        }
        Source::Part { tensor: name, first } => {
            // A vector is a row for each of its elements.
            let skipped = if spec.rows == 1 { *first } else { first * spec.k };
            Ok(tensor(name)?.iter().skip(skipped).take(spec.rows * spec.k).copied().collect())
        }
        Source::ChannelsFirst { tensor: name, channels } => {
            let pixels = spec.k / channels;
            let places = (0..spec.k).map(|k| k % pixels * channels + k / pixels);
            Ok(tensor(name)?.chunks_exact(spec.k).flat_map(|row| places.clone().map(|k| row[k])).collect())
        }
        Source::Either(sources) => {
            let there = |source: &&Source| source.tensors().iter().all(|name| tensors.contains_key(*name));
            let source = sources.iter().find(there).ok_or_else(|| format!("the checkpoint has no {sources:?}"))?;
            gather(&WeightSpec { source: source.clone(), ..spec.clone() }, tensors)
        }
        Source::Scaled { source, by } => {
            let (factors, mut values) =
                (tensor(by)?, gather(&WeightSpec { source: (**source).clone(), ..spec.clone() }, tensors)?);
            let each = values.len() / factors.len();
            for (row, factor) in values.chunks_mut(each).zip(factors) {
                row.iter_mut().for_each(|x| *x *= factor);
            }
            Ok(values)
        }
        Source::Interleave(even, odd) => {
            let pairs = tensor(even)?.chunks_exact(spec.k).zip(tensor(odd)?.chunks_exact(spec.k));
            Ok(pairs.flat_map(|(a, b)| a.iter().chain(b)).copied().collect())
        }
    }
}
