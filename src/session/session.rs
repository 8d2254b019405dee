use std::collections::HashMap;
use std::ops::Range;

use serde::Serialize;

use super::player::Pending;
use super::states::States;
use super::{Player, SessionError};
use crate::base::Result;
use crate::graph::record::{BufferId, PlanId, Read, Recording};
use crate::graph::{ExternalKey, Graph, Plan, StateSpec, WeightPart, WeightTable, fuse, lower};
use crate::kernels::Step;
use crate::models::{Architecture, Pass};
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

/// The buffers of one shard of a weight.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShardBuffers {
    pub data: BufferId,
    pub scales: Option<BufferId>,
}

/// A model on a player: its weights, its states and the plans of its passes. What the passes mean is the business of
/// the drivers above it.
pub struct Session {
    player: Player,
    architecture: Box<dyn Architecture>,
    options: SessionOptions,
    table: WeightTable,
    weights: Vec<Vec<ShardBuffers>>,
    states: States,
    plans: HashMap<PlanKey, Loaded>,
}

/// What a plan does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum PlanKey {
    /// A pass of the architecture.
    Pass(Pass),
    /// Copies the whole of one state to a place in another.
    CopyState { from: &'static str, to: &'static str, at: usize, bytes: usize },
    /// Copies rows of the KV cache from slot to slot.
    GatherSlots,
}

struct Loaded {
    plan: PlanId,
    externals: Vec<ExternalKey>,
    /// What the pass reads and leaves; none of a plan that only copies.
    states: Vec<StateSpec>,
}

/// Bytes of a state to read back after a pass.
#[derive(Debug, Clone)]
pub(super) struct StateRead {
    pub state: &'static str,
    pub bytes: Range<usize>,
}

impl StateRead {
    pub fn new(state: &'static str, bytes: Range<usize>) -> Self {
        Self { state, bytes }
    }
}

/// Bytes held on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, target_arch = "wasm32"), serde(rename_all = "camelCase"))]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MemoryUse {
    /// Weights with their scales and padding.
    pub weights_bytes: usize,
    /// Keys and values of all layers, for every slot and position that is reserved.
    pub kv_bytes: usize,
    /// Scratch, inputs and results.
    pub activation_bytes: usize,
}

impl Session {
    pub(super) fn new(
        player: Player,
        architecture: Box<dyn Architecture>,
        options: SessionOptions,
        table: WeightTable,
        weights: Vec<Vec<ShardBuffers>>,
    ) -> Self {
        let (states, plans) = (States::default(), HashMap::new());
        Self { player, architecture, options, table, weights, states, plans }
    }

    /// Takes the model off its player again: plans unloaded, buffers freed, pipelines kept.
    pub fn into_player(mut self) -> Player {
        self.cancel_pending();
        self.unload(|_| true);
        for shard in self.weights.iter().flatten() {
            self.player.free_buffer(shard.data);
            shard.scales.into_iter().for_each(|scales| self.player.free_buffer(scales));
        }
        self.states.free(&mut self.player);
        self.player
    }

    /// What the model is.
    pub fn architecture(&self) -> &dyn Architecture {
        self.architecture.as_ref()
    }

    /// How its matrices are stored.
    pub fn dtype(&self) -> Dtype {
        self.options.dtype
    }

    /// What executes it.
    pub fn player(&self) -> &Player {
        &self.player
    }

    /// Its weights in order of execution.
    pub fn weights(&self) -> &WeightTable {
        &self.table
    }

    /// The player, and the buffers of a weight.
    pub(super) fn weight_buffers(&mut self, index: usize) -> (&mut Player, &[ShardBuffers]) {
        (&mut self.player, self.weights.get(index).map_or(&[], Vec::as_slice))
    }

    /// The rows of each buffer that a weight lies in; none where there is no such weight.
    pub fn weight_rows(&self, name: &str) -> Vec<usize> {
        let layout = self.table.find(name).map(|index| &self.table.layouts()[index]);
        layout.into_iter().flat_map(|layout| &layout.shards).map(Range::len).collect()
    }

    /// Bytes held on the device.
    pub fn memory(&self) -> MemoryUse {
        let held = self.player.memory();
        let weights_bytes = self.table.layouts().iter().map(|weight| weight.bytes()).sum();
        let kv_bytes = self.states.cache_bytes();
        let activation_bytes = (held.buffers + held.scratch).saturating_sub(weights_bytes + kv_bytes);
        MemoryUse { weights_bytes, kv_bytes, activation_bytes }
    }

    /// Gives up passes that were submitted and whose results nobody waits for any more.
    pub fn cancel_pending(&mut self) {
        self.player.cancel_pending();
    }

    /// Whether all weights of a pass are among the session's: a part of a model may have been left out.
    ///
    /// # Errors
    /// A pass that the architecture does not have.
    pub fn has(&self, pass: &Pass) -> Result<bool> {
        let graph = self.architecture.build(pass)?;
        Ok(graph.weights().iter().all(|weight| self.table.find(&weight.name).is_some()))
    }

    /// Takes the memory of what a pass reads and leaves, without its plan.
    ///
    /// # Errors
    /// A device without the memory.
    pub async fn reserve(&mut self, pass: &Pass) -> Result<()> {
        let graph = self.architecture.build(pass)?;
        self.ensure(graph.states()).await
    }

    /// The same, and checks the pass against the device's limits.
    ///
    /// # Errors
    /// A device without the memory or limits for it.
    pub async fn check(&mut self, pass: &Pass) -> Result<()> {
        let graph = self.architecture.build(pass)?;
        self.ensure(graph.states()).await?;
        let plan = self.lower(graph)?;
        let (recording, buffers) = self.bind(&plan)?;
        self.player.check(recording, &buffers)
    }

    /// Makes a pass ready to be submitted. Weights need not be there yet.
    ///
    /// # Errors
    /// A device without the memory or limits for it.
    pub async fn prepare(&mut self, pass: &Pass) -> Result<()> {
        let key = PlanKey::Pass(pass.clone());
        if self.plans.contains_key(&key) {
            return Ok(());
        }
        let graph = self.architecture.build(pass)?;
        let states = graph.states().to_vec();
        self.ensure(&states).await?;
        let plan = self.lower(graph)?;
        self.load_plan(key, plan, states).await
    }

    /// Makes a pass that is no architecture's ready to be submitted; its states are there.
    pub(super) async fn prepare_graph(
        &mut self,
        key: &PlanKey,
        graph: impl FnOnce(&dyn Architecture) -> Result<Graph>,
    ) -> Result<()> {
        if self.plans.contains_key(key) {
            return Ok(());
        }
        let plan = self.lower(graph(self.architecture.as_ref())?)?;
        self.load_plan(key.clone(), plan, Vec::new()).await
    }

    /// Makes a plan that copies between states ready to be submitted.
    pub(super) async fn prepare_copies(&mut self, key: &PlanKey, plan: impl FnOnce() -> Plan) -> Result<()> {
        match self.plans.contains_key(key) {
            true => Ok(()),
            false => self.load_plan(key.clone(), plan(), Vec::new()).await,
        }
    }

    async fn load_plan(&mut self, key: PlanKey, plan: Plan, states: Vec<StateSpec>) -> Result<()> {
        let (recording, buffers) = self.bind(&plan)?;
        let loaded = self.player.load(recording, &buffers).await?;
        self.plans.insert(key, Loaded { plan: loaded, externals: plan.externals, states });
        Ok(())
    }

    /// Submits one play of a pass. A GPU works on it from now on; the CPU works while the future is polled.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare).
    pub(super) async fn submit(&mut self, pass: &Pass, step: &Step, reads: &[StateRead]) -> Result<Pending> {
        self.prepare(pass).await?;
        self.play(&PlanKey::Pass(pass.clone()), step, reads)
    }

    /// Submits one play of a plan that is ready.
    pub(super) fn play(&mut self, key: &PlanKey, step: &Step, reads: &[StateRead]) -> Result<Pending> {
        let missing = |what: &str| SessionError::MissingState(what.into());
        let loaded = self.plans.get(key).ok_or_else(|| missing("the plan"))?;
        let read = |read: &StateRead| {
            let is_it = |key: &ExternalKey| matches!(key, ExternalKey::State(name) if name == read.state);
            let external = loaded.externals.iter().position(is_it).ok_or_else(|| missing(read.state))?;
            Ok(Read { external: external as u32, offset: read.bytes.start, bytes: read.bytes.len() })
        };
        let reads = reads.iter().map(read).collect::<Result<Vec<_>, SessionError>>()?;
        self.player.play(loaded.plan, step, &reads)
    }

    /// Plays a pass of one sequence of which every row is valid, once: states in, one state out. A pass of several
    /// sequences wants [`Step::all`].
    ///
    /// # Errors
    /// A pass that the model does not have, states that it does not declare, a failing device.
    pub async fn run(&mut self, pass: &Pass, inputs: &[(&str, &[u8])], output: &'static str) -> Result<Vec<f32>> {
        self.prepare(pass).await?;
        for (state, bytes) in inputs {
            self.write(state, bytes)?;
        }
        let read = StateRead::new(output, 0..self.states.bytes(output));
        let step = Step::all(1, u32::MAX as usize)?;
        let bytes = self.submit(pass, &step, &[read]).await?.await?;
        Ok(bytemuck::pod_collect_to_vec(&bytes))
    }

    /// Writes to a state that some pass has reserved.
    ///
    /// # Errors
    /// No such state, more than it holds, a failing device.
    pub fn write(&mut self, state: &str, bytes: &[u8]) -> Result<()> {
        self.player.write_buffer(self.states.get(state)?, 0, bytes)
    }

    /// Reads the first bytes of a state after all that was submitted.
    ///
    /// # Errors
    /// No such state, more than it holds, a failing device.
    pub async fn read(&mut self, state: &str, bytes: usize) -> Result<Vec<u8>> {
        self.player.read_buffer(self.states.get(state)?, 0, bytes).await
    }

    /// Values of a state of a pass that is ready: the state itself may be larger, for other passes.
    pub(super) fn values(&self, pass: &Pass, state: &str) -> Result<usize, SessionError> {
        let states = self.plans.get(&PlanKey::Pass(pass.clone())).map_or(&[][..], |loaded| &loaded.states);
        let spec = states.iter().find(|spec| spec.name == state);
        Ok(spec.ok_or_else(|| SessionError::MissingState(state.into()))?.bytes() / 4)
    }

    /// The only value of a weight `[1, 1]`, read from the device.
    ///
    /// # Errors
    /// A weight that is not there, a failing device.
    pub async fn scalar(&mut self, weight: &str) -> Result<f32> {
        let missing = || SessionError::MissingState(format!("weight {weight}"));
        let index = self.table.find(weight).ok_or_else(missing)?;
        let buffer = self.weights.get(index).and_then(|shards| shards.first()).ok_or_else(missing)?.data;
        let bytes = self.player.read_buffer(buffer, 0, 4).await?;
        Ok(bytemuck::pod_read_unaligned(&bytes))
    }

    /// Bytes of a state; 0 where no pass has reserved it.
    pub(super) fn state_bytes(&self, state: &str) -> usize {
        self.states.bytes(state)
    }

    /// Makes states at least as large as declared; plans over those that grow are void.
    pub(super) async fn ensure(&mut self, specs: &[StateSpec]) -> Result<()> {
        for spec in specs.iter() {
            if self.states.holds(spec) {
                continue;
            }
            let over_it = |key: &ExternalKey| matches!(key, ExternalKey::State(state) if *state == spec.name);
            for (_, loaded) in self.plans.extract_if(|_, loaded| loaded.externals.iter().any(over_it)) {
                self.player.unload(loaded.plan);
            }
            self.states.renew(&mut self.player, spec).await?;
        }
        Ok(())
    }

    /// Unloads the plans that are void now.
    pub(super) fn unload(&mut self, void: impl Fn(&PlanKey) -> bool) {
        for (_, loaded) in self.plans.extract_if(|key, _| void(key)) {
            self.player.unload(loaded.plan);
        }
    }

    fn lower(&self, graph: Graph) -> Result<Plan> {
        let graph = if self.options.fuse { fuse(graph) } else { graph };
        Ok(lower(&graph, &self.table, self.player.capabilities())?)
    }

    /// A plan's recording, and the buffers that it works on.
    fn bind<'p>(&self, plan: &'p Plan) -> Result<(&'p Recording, Vec<BufferId>)> {
        let buffers = plan.externals.iter().map(|key| self.buffer(key)).collect::<Result<Vec<_>, _>>()?;
        Ok((&plan.recording, buffers))
    }

    fn buffer(&self, key: &ExternalKey) -> Result<BufferId, SessionError> {
        match key {
            ExternalKey::State(name) => self.states.get(name),
            ExternalKey::Weight { weight, shard, part } => {
                let buffers = self.weights.get(*weight).and_then(|w| w.get(*shard));
                let found = buffers.and_then(|b| match part {
                    WeightPart::Data => Some(b.data),
                    WeightPart::Scales => b.scales,
                });
                found.ok_or_else(|| SessionError::MissingState(format!("weight {weight} shard {shard}")))
            }
        }
    }
}
