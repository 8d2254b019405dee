use std::collections::HashMap;

use super::{Player, SessionError};
use crate::base::Result;
use crate::graph::record::BufferId;
use crate::graph::{StateKind, StateSpec};

/// The session's buffers by name, as the graphs of its passes declare them.
#[derive(Default)]
pub(super) struct States {
    held: HashMap<String, Held>,
}

struct Held {
    buffer: BufferId,
    bytes: usize,
    kind: StateKind,
}

impl States {
    /// Whether a state is there, with room for what is declared.
    pub fn holds(&self, spec: &StateSpec) -> bool {
        self.held.get(&spec.name).is_some_and(|held| held.bytes >= spec.bytes())
    }

    /// Gives a state a new buffer. Its old one is freed first, so that plans over it must be void by then.
    pub async fn renew(&mut self, player: &mut Player, spec: &StateSpec) -> Result<()> {
        if let Some(old) = self.held.remove(&spec.name) {
            player.free_buffer(old.buffer);
        }
        let bytes = spec.bytes();
        let buffer = player.create_buffer(&spec.name, bytes).await?;
        self.held.insert(spec.name.clone(), Held { buffer, bytes, kind: spec.kind });
        Ok(())
    }

    pub fn get(&self, name: &str) -> Result<BufferId, SessionError> {
        let held = self.held.get(name).ok_or_else(|| SessionError::MissingState(name.into()))?;
        Ok(held.buffer)
    }

    /// Bytes of a state; 0 where there is none.
    pub fn bytes(&self, name: &str) -> usize {
        self.held.get(name).map_or(0, |held| held.bytes)
    }

    /// Gives every buffer back.
    pub fn free(&mut self, player: &mut Player) {
        for (_, held) in self.held.drain() {
            player.free_buffer(held.buffer);
        }
    }

    /// Bytes of the KV cache.
    pub fn cache_bytes(&self) -> usize {
        let caches = self.held.values().filter(|held| matches!(held.kind, StateKind::Cache { .. }));
        caches.map(|held| held.bytes).sum()
    }
}
