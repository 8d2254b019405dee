//! How the KV cache is laid out: slots of so many rows, one slot a sequence.

use crate::base::{Result, round_up};
use crate::graph::{Graph, ShapeError, StateKind, StateSpec};
use crate::models::{Architecture, DecoderPass, Pass};
use crate::ops::{CacheSpec, GatherSlots};

/// Rows of a slot are a multiple of this.
const CACHE_STEP: usize = 64;

/// Rows of a slot, and how many slots there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct KvCache {
    pub capacity: usize,
    pub slots: usize,
}

impl KvCache {
    /// Room for `tokens` positions in each of `slots` slots.
    pub fn of(tokens: usize, slots: usize) -> Self {
        Self { capacity: round_up(tokens, CACHE_STEP), slots }
    }

    /// Whether it has that room.
    pub fn holds(&self, tokens: usize, slots: usize) -> bool {
        tokens <= self.capacity && slots <= self.slots
    }

    /// A decode step of one sequence over it.
    pub fn decode_pass(&self) -> DecoderPass {
        DecoderPass::decode(self.capacity, self.slots)
    }

    /// A pass that copies rows of each cache from slot to slot.
    pub fn gather(&self, caches: &[StateSpec]) -> Result<Graph, ShapeError> {
        let mut g = Graph::new("gather slots");
        for StateSpec { name, kind, rows, width } in caches {
            let cache = g.state(name, *kind, *rows, *width)?;
            let Self { slots, capacity } = *self;
            let kv_heads = rows / (slots * capacity).max(1);
            let spec = CacheSpec { slots, kv_heads, capacity, head_dim: *width };
            g.push(format!("{name} gathered"), GatherSlots { cache, spec })?;
        }
        Ok(g)
    }
}

/// The caches among the states of a pass.
pub(super) fn caches(states: &[StateSpec]) -> Vec<StateSpec> {
    states.iter().filter(|state| matches!(state.kind, StateKind::Cache { .. })).cloned().collect()
}

/// Bytes that each token of prompt and answer takes in the KV cache; 0 where there is none.
///
/// # Errors
/// A configuration that no graph can be built of.
pub fn cache_bytes_per_token(architecture: &dyn Architecture) -> Result<usize> {
    if architecture.decoder().is_none() {
        return Ok(0);
    }
    let pass = KvCache { capacity: 1, slots: 1 }.decode_pass();
    let graph = architecture.build(&Pass::Decoder(pass))?;
    Ok(caches(graph.states()).iter().map(StateSpec::bytes).sum())
}

/// Bytes of the caches for one image and `TEXT_TOKENS` of prompt and answer.
pub(super) fn cache_bytes(architecture: &dyn Architecture) -> Result<u64> {
    let tokens = architecture.image().map_or(0, |image| image.tokens) + TEXT_TOKENS;
    let capacity = KvCache::of(tokens, 1).capacity as u64;
    Ok((cache_bytes_per_token(architecture)? as u64).saturating_mul(capacity))
}

/// Tokens of prompt and answer that count in beside one image.
const TEXT_TOKENS: usize = 256;
