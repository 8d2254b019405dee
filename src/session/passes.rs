use std::collections::HashMap;
use std::ops::Range;

use super::load::{self, LoadProgress, Loader, ShardBuffers};
use super::player::Pending;
use super::states::States;
use super::{Player, SessionFault};
use crate::base::{Result, round_up};
use crate::format::Checkpoint;
use crate::graph::record::{BufferDecl, BufferId, Command, PlanId, Read, Recording, Role};
use crate::graph::{ExternalKey, Graph, Plan, WeightPart, WeightTable, fuse, lower};
use crate::kernels::Step;
use crate::models::mask_decoder::{CODEBOOK, CODES, SIDE, mask_decoder};
use crate::models::paligemma::{self, DecoderPass, PaliGemmaConfig, PassOutput};
use crate::tensor::Dtype;

/// How a model is put on a player.
#[derive(Debug, Clone, Copy)]
pub struct SessionOptions {
    /// Element type of the weight matrices.
    pub dtype: Dtype,
    /// Merge neighbouring operations; off only to compare.
    pub fuse: bool,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self { dtype: Dtype::Q8, fuse: true }
    }
}

/// A PaliGemma on a player.
pub struct Session {
    player: Player,
    config: PaliGemmaConfig,
    options: SessionOptions,
    table: WeightTable,
    weights: Vec<Vec<ShardBuffers>>,
    states: States,
    plans: HashMap<PlanKey, Loaded>,
    /// Rows of a KV-cache slot, and how many slots there are.
    cache: (usize, usize),
    /// Rows of image features that `features` holds room for.
    feature_rows: usize,
    /// Tokens before which all see each other.
    prefix: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum PlanKey {
    Vision,
    MaskDecoder,
    /// Copies `picture` to the n-th place in `features`.
    Place(usize),
    Decoder(DecoderPass),
    /// Copies one slot of the KV cache to another, from a position to the end.
    CopySlot {
        from: usize,
        to: usize,
        first: usize,
    },
}

struct Loaded {
    plan: PlanId,
    externals: Vec<ExternalKey>,
}

/// Rows of a slot of the KV cache are a multiple of this.
const CACHE_STEP: usize = 64;

/// The likeliest next token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// Its id.
    pub id: u32,
    /// Its logit.
    pub logit: f32,
    /// ln of the sum of exp of all logits.
    pub logsumexp: f32,
}

/// A pass on its way: await it for its result.
pub struct Submitted {
    pending: Pending,
    position: usize,
}

/// Bytes that a session holds on its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryUse {
    /// Weights.
    pub weights_bytes: usize,
    /// KV cache.
    pub kv_bytes: usize,
    /// Scratch, inputs and results.
    pub activation_bytes: usize,
}

impl Submitted {
    /// The likeliest token, and the best candidates `(id, logit)` by falling logit if the pass sorts them.
    pub async fn result(self) -> Result<(Choice, Vec<(u32, f32)>)> {
        let bytes = self.pending.await?;
        let words: Vec<u32> = bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        let (choice, top) = words.split_at(4.min(words.len()));
        let [id, logit, logsumexp, ..] = *choice else {
            return Err(SessionFault::MissingState("choice".into()).into());
        };
        let choice = Choice { id, logit: f32::from_bits(logit), logsumexp: f32::from_bits(logsumexp) };
        if id == u32::MAX || !choice.logsumexp.is_finite() {
            return Err(SessionFault::NotFinite { position: self.position }.into());
        }
        let top = top.chunks_exact(2).map(|c| (c[1], f32::from_bits(c[0]))).filter(|c| c.0 != u32::MAX).collect();
        Ok((choice, top))
    }
}

impl Session {
    /// Puts a model on a player, weights converted chunk by chunk.
    ///
    /// # Errors
    /// A tensor that is missing or has another shape than the configuration says (checked before anything is
    /// allocated), a row that no binding holds, a device without memory, or what `progress` returns.
    pub async fn load(
        player: Player,
        config: PaliGemmaConfig,
        checkpoint: &Checkpoint<'_>,
        options: SessionOptions,
        progress: &mut dyn FnMut(LoadProgress) -> Result<()>,
    ) -> Result<Self> {
        let mut loader = Loader::of_checkpoint(player, config, checkpoint, options).await?;
        loader.read(checkpoint, progress)?;
        loader.finish()
    }

    pub(super) fn new(
        player: Player,
        config: PaliGemmaConfig,
        options: SessionOptions,
        table: WeightTable,
        weights: Vec<Vec<ShardBuffers>>,
    ) -> Self {
        Self {
            player,
            config,
            options,
            table,
            weights,
            states: States::default(),
            plans: HashMap::new(),
            cache: (0, 0),
            feature_rows: 0,
            prefix: 0,
        }
    }

    /// Takes the memory of a question about one picture: `prompt` tokens behind the picture's, at most `new_tokens` of an
    /// answer; and checks its passes against the device's limits.
    pub(super) async fn make_room(&mut self, prompt: usize, new_tokens: usize) -> Result<()> {
        for key in self.first_passes(prompt, new_tokens).await? {
            let (recording, buffers, _) = self.record(&key)?;
            self.player.check(&recording, &buffers)?;
        }
        Ok(())
    }

    /// Takes the memory of such a question; the keys of its plans.
    async fn first_passes(&mut self, prompt: usize, new_tokens: usize) -> Result<[PlanKey; 4]> {
        let ids = self.config.vision.tokens() + prompt;
        self.room_for_pictures(1).await?;
        self.reserve(ids + new_tokens, 1).await?;
        let prefill = self.pass_over(ids, PassOutput::Greedy).await?;
        let decode = self.decoding(PassOutput::Greedy, None);
        Ok([PlanKey::Vision, PlanKey::Place(0), prefill, decode])
    }

    /// Has the plans and pipelines of such a question made, so that the first answer waits for none of it. Weights need
    /// not be there yet.
    ///
    /// # Errors
    /// A device without the memory or limits for it.
    pub async fn prepare(&mut self, prompt: usize, new_tokens: usize) -> Result<()> {
        for key in self.first_passes(prompt, new_tokens).await? {
            self.plan(key).await?;
        }
        Ok(())
    }

    /// The player, and the buffers of a weight.
    pub(super) fn weight_buffers(&mut self, index: usize) -> (&mut Player, &[ShardBuffers]) {
        (&mut self.player, self.weights.get(index).map_or(&[], Vec::as_slice))
    }

    /// Takes the model off its player again: plans unloaded, buffers freed, pipelines kept.
    pub fn into_player(mut self) -> Player {
        self.abandon();
        for (_, loaded) in self.plans.drain() {
            self.player.unload(loaded.plan);
        }
        for shard in self.weights.iter().flatten() {
            self.player.free_buffer(shard.data);
            shard.scales.into_iter().for_each(|scales| self.player.free_buffer(scales));
        }
        self.states.free(&mut self.player);
        self.player
    }

    /// The model in numbers.
    pub fn config(&self) -> &PaliGemmaConfig {
        &self.config
    }

    /// How its matrices are stored.
    pub fn dtype(&self) -> Dtype {
        self.options.dtype
    }

    /// What executes it.
    pub fn player(&self) -> &Player {
        &self.player
    }

    /// The rows of each buffer that a weight lies in; none where there is no such weight.
    pub fn weight_rows(&self, name: &str) -> Vec<usize> {
        let layout = self.table.find(name).map(|index| &self.table.layouts()[index]);
        layout.into_iter().flat_map(|layout| &layout.shards).map(Range::len).collect()
    }

    /// Bytes held on the device.
    pub fn memory(&self) -> MemoryUse {
        let held = self.player.memory();
        let weights_bytes = self.table.layouts().iter().map(load::bytes).sum();
        let kv_bytes = self.states.bytes(&["k.", "v."]);
        let activation_bytes = (held.buffers + held.scratch).saturating_sub(weights_bytes + kv_bytes);
        MemoryUse { weights_bytes, kv_bytes, activation_bytes }
    }

    /// Gives up passes that were submitted and whose results nobody waits for any more.
    pub fn abandon(&mut self) {
        self.player.abandon();
    }

    /// Positions that are left for an answer.
    ///
    /// # Errors
    /// None: the model was trained on no more than such a prefix has.
    pub fn positions_behind(&self, prefix: usize) -> Result<usize, SessionFault> {
        let capacity = self.config.decoder.max_positions;
        match capacity.saturating_sub(prefix) {
            0 => Err(SessionFault::TooLong { needed: prefix + 1, capacity }),
            left => Ok(left),
        }
    }

    /// Encodes pictures, each `[S, S, 3]` f32; their tokens stay on the device in the order given.
    pub async fn encode(&mut self, pictures: &[&[f32]]) -> Result<()> {
        // A cancelled call may have left passes behind.
        self.abandon();
        let v = &self.config.vision;
        let (pixels, tokens) = (v.image_size * v.image_size * 3, v.tokens());
        for picture in pictures {
            if picture.len() != pixels {
                return Err(SessionFault::Picture { found: picture.len(), expected: pixels }.into());
            }
        }
        self.room_for_pictures(pictures.len()).await?;
        let step = Step { position: 0, tokens: tokens as u32, prefix: tokens as u32, slot: 0 };
        for (n, picture) in pictures.iter().enumerate() {
            self.player.write_buffer(self.states.get("image")?, 0, bytemuck::cast_slice(picture))?;
            let vision = self.plan(PlanKey::Vision).await?;
            self.player.play(vision, &step, &[])?.await?;
            let place = self.plan(PlanKey::Place(n)).await?;
            self.player.play(place, &step, &[])?.await?;
        }
        Ok(())
    }

    async fn room_for_pictures(&mut self, count: usize) -> Result<()> {
        let v = &self.config.vision;
        let (pixels, tokens, width) = (v.image_size * v.image_size * 3, v.tokens(), self.config.decoder.width);
        self.ensure("image", pixels * 4).await?;
        self.ensure("picture", tokens * width * 4).await?;
        if self.feature_rows < count * tokens {
            // A device that has no room for them, or a call that is cancelled meanwhile, leaves none.
            self.feature_rows = 0;
            self.ensure("features", count * tokens * width * 4).await?;
            self.feature_rows = count * tokens;
        }
        Ok(())
    }

    /// Whether the checkpoint came with a decoder of masks.
    pub fn decodes_masks(&self) -> bool {
        self.table.find("mask_decoder.codebook").is_some()
    }

    /// The mask `[64, 64]` of 16 codes, about -1 outside the thing and 1 inside.
    pub async fn decode_mask(&mut self, codes: &[u8; CODES]) -> Result<Vec<f32>> {
        if !self.decodes_masks() {
            return Err(SessionFault::NoMaskDecoder.into());
        }
        let pixels = SIDE * SIDE;
        self.ensure("mask_codes", CODES * 4).await?;
        self.ensure("mask", pixels * 4).await?;
        let ids = codes.map(|code| u32::from(code).min(CODEBOOK as u32 - 1));
        self.player.write_buffer(self.states.get("mask_codes")?, 0, bytemuck::cast_slice(&ids))?;
        let plan = self.plan(PlanKey::MaskDecoder).await?;
        let step = Step { position: 0, tokens: pixels as u32, prefix: 0, slot: 0 };
        let read = Read { external: self.external(plan, "mask")?, offset: 0, bytes: pixels * 4 };
        let bytes = self.player.play(plan, &step, &[read])?.await?;
        Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }

    /// Makes room for `tokens` positions in each of `slots` slots of the KV cache; forgets what it held if it grows.
    pub async fn reserve(&mut self, tokens: usize, slots: usize) -> Result<()> {
        let (capacity, held_slots) = self.cache;
        if tokens <= capacity && slots <= held_slots {
            return Ok(());
        }
        // What a cancelled call left behind is not to be played first.
        self.abandon();
        // What is asked for now: one call may want many slots, and the next many positions.
        let capacity = round_up(tokens, CACHE_STEP);
        // Nothing, until all of it is there. Where slots begin is another place then, in the same buffers too.
        self.cache = (0, 0);
        self.unload(|key, _| matches!(key, PlanKey::Decoder(_) | PlanKey::CopySlot { .. }));
        let t = &self.config.decoder;
        let bytes = slots * t.kv_heads * capacity * t.head_dim * 4;
        for i in 0..t.layers {
            for name in [format!("k.{i}"), format!("v.{i}")] {
                self.ensure(&name, bytes).await?;
            }
        }
        self.cache = (capacity, slots);
        Ok(())
    }

    /// Fills slot 0 of the KV cache in one pass, and says what may come next: a prefix, whose tokens all see each other,
    /// and what of its answer is known already. Ids with the top bit set are rows of the encoded pictures.
    pub async fn prefill(&mut self, prefix: &[u32], answer: &[u32], output: PassOutput) -> Result<Submitted> {
        self.abandon();
        self.prefix = prefix.len();
        let ids = [prefix, answer].concat();
        let key = self.write_ids(&ids, output).await?;
        let plan = self.plan(key).await?;
        let step = Step { position: 0, tokens: ids.len() as u32, prefix: prefix.len() as u32, slot: 0 };
        self.submit(plan, step, output)
    }

    /// Log-probability of every token of `suffix` after `prefix`, in one pass.
    pub async fn score(&mut self, prefix: &[u32], suffix: &[u32]) -> Result<Vec<f32>> {
        let Some((_, given)) = suffix.split_last() else { return Ok(Vec::new()) };
        let ids = [prefix, given].concat();
        self.reserve(ids.len(), 1).await?;
        let key = self.write_ids(&ids, PassOutput::Score).await?;
        let mut targets = vec![0u32; prefix.len().saturating_sub(1)];
        targets.extend_from_slice(suffix);
        self.player.write_buffer(self.states.get("targets")?, 0, bytemuck::cast_slice(&targets))?;
        let plan = self.plan(key).await?;
        let step = Step { position: 0, tokens: ids.len() as u32, prefix: prefix.len() as u32, slot: 0 };
        let read = Read {
            external: self.external(plan, "scores")?,
            offset: (prefix.len().saturating_sub(1)) * 4,
            bytes: suffix.len() * 4,
        };
        let bytes = self.player.play(plan, &step, &[read])?.await?;
        Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }

    /// Decodes the token in `next_ids` at `position` of a slot: submitted when this returns, on a GPU not yet done.
    ///
    /// `ids` are those that may come next, if not all; they are for [`PassOutput::Greedy`].
    pub async fn decode(
        &mut self,
        position: usize,
        slot: usize,
        output: PassOutput,
        ids: Option<Range<usize>>,
    ) -> Result<Submitted> {
        let (capacity, _) = self.cache;
        if position >= capacity {
            return Err(SessionFault::TooLong { needed: position + 1, capacity }.into());
        }
        let plan = self.plan(self.decoding(output, ids)).await?;
        let step = Step { position: position as u32, tokens: 1, prefix: self.prefix as u32, slot: slot as u32 };
        self.submit(plan, step, output)
    }

    fn decoding(&self, output: PassOutput, ids: Option<Range<usize>>) -> PlanKey {
        let (capacity, slots) = self.cache;
        PlanKey::Decoder(DecoderPass { tokens: 1, capacity, slots, feature_rows: 0, output, ids })
    }

    /// Sets the token that the next decode takes; greedy decoding leaves it on the device itself.
    pub fn set_next(&mut self, id: u32) -> Result<()> {
        self.player.write_buffer(self.states.get("next_ids")?, 0, &id.to_le_bytes())
    }

    /// The logits `[V]` of the last pass.
    pub async fn logits(&mut self) -> Result<Vec<f32>> {
        let buffer = self.states.get("logits")?;
        let bytes = self.player.read_buffer(buffer, 0, self.config.decoder.vocabulary * 4).await?;
        Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }

    /// Copies one slot of the KV cache to another, from position `first` on; what is in front may be copied too.
    ///
    /// What is behind the answer so far is copied with it, so that one plan serves every step of an answer.
    pub async fn copy_slot(&mut self, from: usize, to: usize, first: usize) -> Result<()> {
        if from == to {
            return Ok(());
        }
        let first = first / CACHE_STEP * CACHE_STEP;
        // Plans for prompts of other lengths would add up.
        let of_others =
            |key: &PlanKey| matches!(key, PlanKey::CopySlot { first: other, .. } if *other != first && *other != 0);
        self.unload(|key, _| first != 0 && of_others(key));
        let plan = self.plan(PlanKey::CopySlot { from, to, first }).await?;
        let step = Step { position: 0, tokens: 0, prefix: 0, slot: 0 };
        self.player.play(plan, &step, &[])?.await?;
        Ok(())
    }

    /// Checks and uploads the ids of a pass over several tokens; the key of its plan.
    async fn write_ids(&mut self, ids: &[u32], output: PassOutput) -> Result<PlanKey> {
        let vocabulary = self.config.decoder.vocabulary;
        let (capacity, _) = self.cache;
        if ids.is_empty() {
            return Err(SessionFault::EmptyPrompt.into());
        }
        if ids.len() > capacity {
            return Err(SessionFault::TooLong { needed: ids.len(), capacity }.into());
        }
        let known =
            |id: u32| id >> 31 == 1 && ((id & !(1 << 31)) as usize) < self.feature_rows || (id as usize) < vocabulary;
        if let Some(&id) = ids.iter().find(|&&id| !known(id)) {
            return Err(SessionFault::UnknownToken { id, vocabulary }.into());
        }
        let key = self.pass_over(ids.len(), output).await?;
        self.player.write_buffer(self.states.get("ids")?, 0, bytemuck::cast_slice(ids))?;
        Ok(key)
    }

    /// Takes the memory of a pass over several tokens; the key of its plan.
    async fn pass_over(&mut self, tokens: usize, output: PassOutput) -> Result<PlanKey> {
        let vocabulary = self.config.decoder.vocabulary;
        let (capacity, slots) = self.cache;
        // A pass of one row is a decode; padding keeps the number of recordings small.
        let tokens = round_up(tokens, if tokens <= 512 { 32 } else { 128 });
        self.ensure("ids", tokens * 4).await?;
        self.ensure("next_ids", 4).await?;
        self.ensure("choice", 16).await?;
        self.ensure("logits", vocabulary * 4).await?;
        match output {
            PassOutput::Greedy => {}
            PassOutput::TopK(k) => self.ensure("top_k", k * 8).await?,
            PassOutput::Score => {
                self.ensure("targets", tokens * 4).await?;
                self.ensure("scores", tokens * 4).await?;
            }
        }
        Ok(PlanKey::Decoder(DecoderPass {
            tokens,
            capacity,
            slots,
            feature_rows: self.feature_rows,
            output,
            ids: None,
        }))
    }

    async fn ensure(&mut self, name: &str, bytes: usize) -> Result<()> {
        if self.states.holds(name, bytes) {
            return Ok(());
        }
        let over_it = |key: &ExternalKey| matches!(key, ExternalKey::State(state) if state == name);
        self.unload(|_, loaded| loaded.externals.iter().any(over_it));
        self.states.renew(&mut self.player, name, bytes).await
    }

    /// Unloads the plans that are void now.
    fn unload(&mut self, void: impl Fn(&PlanKey, &Loaded) -> bool) {
        for (_, loaded) in self.plans.extract_if(|key, loaded| void(key, loaded)) {
            self.player.unload(loaded.plan);
        }
    }

    /// The plan of a pass, recorded and loaded the first time it is asked for.
    async fn plan(&mut self, key: PlanKey) -> Result<PlanId> {
        if let Some(loaded) = self.plans.get(&key) {
            return Ok(loaded.plan);
        }
        let (recording, buffers, externals) = self.record(&key)?;
        let plan = self.player.load(&recording, &buffers).await?;
        self.plans.insert(key, Loaded { plan, externals });
        Ok(plan)
    }

    /// The recording of a pass, and the buffers that it works on.
    fn record(&self, key: &PlanKey) -> Result<(Recording, Vec<BufferId>, Vec<ExternalKey>)> {
        let Plan { recording, externals } = match key {
            PlanKey::Vision => self.lower(paligemma::vision(&self.config, &self.table)?),
            PlanKey::MaskDecoder => self.lower(mask_decoder(&self.table)?),
            PlanKey::Decoder(pass) => self.lower(paligemma::decoder(&self.config, &self.table, pass)?),
            PlanKey::Place(n) => self.place(*n),
            PlanKey::CopySlot { from, to, first } => self.slot_copies(*from, *to, *first),
        };
        let buffers = externals.iter().map(|key| self.buffer(key)).collect::<Result<Vec<_>, _>>()?;
        Ok((recording, buffers, externals))
    }

    fn lower(&self, graph: Graph) -> Plan {
        let graph = if self.options.fuse { fuse(graph) } else { graph };
        lower(&graph, self.player.capabilities())
    }

    fn place(&self, n: usize) -> Plan {
        let bytes = self.config.vision.tokens() * self.config.decoder.width * 4;
        let copy = Command::Copy { from: 0, from_offset: 0, to: 1, to_offset: n * bytes, bytes };
        let features = self.feature_rows * self.config.decoder.width * 4;
        copies(format!("place {n}"), &[("picture".into(), bytes), ("features".into(), features)], vec![copy])
    }

    /// Within a slot the rows of a kv head are contiguous. A buffer cannot be copied onto itself in one command of
    /// WebGPU, so rows go through scratch memory.
    fn slot_copies(&self, from: usize, to: usize, first: usize) -> Plan {
        let t = &self.config.decoder;
        let (capacity, slots) = self.cache;
        let (row, rows) = (t.head_dim * 4, capacity - first);
        let names: Vec<(String, usize)> = (0..t.layers)
            .flat_map(|i| [format!("k.{i}"), format!("v.{i}")])
            .map(|name| (name, slots * t.kv_heads * capacity * row))
            .collect();
        let scratch = names.len() as u32;
        let mut commands = Vec::new();
        for buffer in 0..scratch {
            for g in 0..t.kv_heads {
                let offset = |slot: usize| ((slot * t.kv_heads + g) * capacity + first) * row;
                let bytes = rows * row;
                commands.push(Command::Copy {
                    from: buffer,
                    from_offset: offset(from),
                    to: scratch,
                    to_offset: 0,
                    bytes,
                });
                commands.push(Command::Copy {
                    from: scratch,
                    from_offset: 0,
                    to: buffer,
                    to_offset: offset(to),
                    bytes,
                });
            }
        }
        let mut plan = copies(format!("copy slot {from} to {to}"), &names, commands);
        plan.recording.buffers.push(BufferDecl { bytes: rows * row, role: Role::Scratch, label: "rows".into() });
        plan
    }

    fn buffer(&self, key: &ExternalKey) -> Result<BufferId, SessionFault> {
        match key {
            ExternalKey::State(name) => self.states.get(name),
            ExternalKey::Weight { weight, shard, part } => {
                let buffers = self.weights.get(*weight).and_then(|w| w.get(*shard));
                let found = buffers.and_then(|b| match part {
                    WeightPart::Data => Some(b.data),
                    WeightPart::Scales => b.scales,
                });
                found.ok_or_else(|| SessionFault::MissingState(format!("weight {weight} shard {shard}")))
            }
        }
    }

    fn external(&self, plan: PlanId, state: &str) -> Result<u32, SessionFault> {
        let loaded = self.plans.values().find(|l| l.plan == plan);
        let key = ExternalKey::State(state.into());
        let position = loaded.and_then(|l| l.externals.iter().position(|e| *e == key));
        position.map(|n| n as u32).ok_or_else(|| SessionFault::MissingState(state.into()))
    }

    fn submit(&mut self, plan: PlanId, step: Step, output: PassOutput) -> Result<Submitted> {
        let mut reads = vec![Read { external: self.external(plan, "choice")?, offset: 0, bytes: 16 }];
        if let PassOutput::TopK(k) = output {
            reads.push(Read { external: self.external(plan, "top_k")?, offset: 0, bytes: k * 8 });
        }
        let pending = self.player.play(plan, &step, &reads)?;
        Ok(Submitted { pending, position: (step.position + step.tokens) as usize })
    }
}

/// A plan that only copies between states, numbered in the order given.
fn copies(name: String, states: &[(String, usize)], commands: Vec<Command>) -> Plan {
    let buffers = states.iter().enumerate().map(|(n, (label, bytes))| BufferDecl {
        bytes: *bytes,
        role: Role::External(n as u32),
        label: label.clone(),
    });
    let recording = Recording { name, buffers: buffers.collect(), commands };
    let externals = states.iter().map(|(name, _)| ExternalKey::State(name.clone())).collect();
    Plan { recording, externals }
}
