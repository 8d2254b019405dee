//! How the KV cache is laid out: slots of so many rows, one slot a sequence.

use crate::base::round_up;
use crate::graph::record::{BufferDecl, Command, Recording, Role};
use crate::graph::{ExternalKey, Plan, StateKind, StateSpec};

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

    /// The row at or before `position` where copies begin: few different ones, so that a plan serves a whole answer.
    pub fn copied_from(position: usize) -> usize {
        position / CACHE_STEP * CACHE_STEP
    }

    /// A plan that copies one slot of each cache to another, from a row on.
    ///
    /// Within a slot the rows of a kv head are contiguous. A buffer cannot be copied onto itself in one command of
    /// WebGPU, so rows go through scratch memory.
    pub fn slot_copies(&self, caches: &[StateSpec], from: usize, to: usize, first: usize) -> Plan {
        let scratch = caches.len() as u32;
        let mut recording = Recording { name: format!("copy slot {from} to {to}"), ..Default::default() };
        let (mut externals, mut most) = (Vec::new(), 0);
        for (buffer, spec) in (0..).zip(caches) {
            let row = spec.width * 4;
            let bytes = (self.capacity - first) * row;
            let heads = spec.rows / (self.slots * self.capacity).max(1);
            most = most.max(bytes);
            for head in 0..heads {
                let offset = |slot: usize| ((slot * heads + head) * self.capacity + first) * row;
                let copy = |from, from_offset, to, to_offset| Command::Copy { from, from_offset, to, to_offset, bytes };
                recording.commands.push(copy(buffer, offset(from), scratch, 0));
                recording.commands.push(copy(scratch, 0, buffer, offset(to)));
            }
            let role = Role::External(buffer);
            recording.buffers.push(BufferDecl { bytes: spec.bytes(), role, label: spec.name.clone() });
            externals.push(ExternalKey::State(spec.name.clone()));
        }
        recording.buffers.push(BufferDecl { bytes: most, role: Role::Scratch, label: "rows".into() });
        Plan { recording, externals }
    }
}

/// The caches among the states of a pass.
pub(super) fn caches(states: &[StateSpec]) -> Vec<StateSpec> {
    states.iter().filter(|state| matches!(state.kind, StateKind::Cache { .. })).cloned().collect()
}
