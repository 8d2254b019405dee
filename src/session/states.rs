use std::collections::HashMap;

use super::{Player, SessionFault};
use crate::base::Result;
use crate::graph::record::BufferId;

/// The session's buffers by name: inputs, results and the KV cache.
#[derive(Default)]
pub(super) struct States {
    buffers: HashMap<String, (BufferId, usize)>,
}

impl States {
    /// Whether a state is there, with room for `bytes`.
    pub fn holds(&self, name: &str, bytes: usize) -> bool {
        self.buffers.get(name).is_some_and(|&(_, held)| held >= bytes)
    }

    /// Gives a state a new buffer. Its old one is freed first, so that plans over it must be void by then.
    pub async fn renew(&mut self, player: &mut Player, name: &str, bytes: usize) -> Result<()> {
        if let Some((old, _)) = self.buffers.remove(name) {
            player.free_buffer(old);
        }
        let buffer = player.create_buffer(name, bytes).await?;
        self.buffers.insert(name.into(), (buffer, bytes));
        Ok(())
    }

    pub fn get(&self, name: &str) -> Result<BufferId, SessionFault> {
        let (buffer, _) = self.buffers.get(name).ok_or_else(|| SessionFault::MissingState(name.into()))?;
        Ok(*buffer)
    }

    /// Gives every buffer back.
    pub fn free(&mut self, player: &mut Player) {
        for (_, (buffer, _)) in self.buffers.drain() {
            player.free_buffer(buffer);
        }
    }

    /// Bytes of the states whose names begin with one of `prefixes`.
    pub fn bytes(&self, prefixes: &[&str]) -> usize {
        let counts = |name: &str| prefixes.iter().any(|p| name.starts_with(p));
        self.buffers.iter().filter(|(name, _)| counts(name)).map(|(_, (_, bytes))| bytes).sum()
    }
}
