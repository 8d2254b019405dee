//! What a model would take of a device beside its weights, told without one.

use std::collections::HashMap;

use super::kv_cache::{KvCache, cache_bytes_per_token};
use crate::base::Result;
use crate::cpu::CpuPlayer;
use crate::graph::{Role, StateKind, WeightTable, fuse, lower};
use crate::models::{Architecture, Pass};
use crate::tensor::Dtype;

/// Bytes of the KV cache of one sequence with room for so many tokens, or more: it grows in steps.
///
/// # Errors
/// A configuration that no graph can be built of.
pub fn reserved_cache_bytes(architecture: &dyn Architecture, tokens: usize) -> Result<u64> {
    let capacity = KvCache::of(tokens, 1).capacity as u64;
    Ok((cache_bytes_per_token(architecture)? as u64).saturating_mul(capacity))
}

/// Bytes of scratch, inputs and results of some passes as the CPU plays them: scratch is shared between passes.
///
/// # Errors
/// Passes that cannot be built.
pub fn activation_bytes(architecture: &dyn Architecture, dtype: Dtype, passes: &[Pass]) -> Result<u64> {
    let device = CpuPlayer::new();
    let (mut states, mut scratch) = (HashMap::new(), 0);
    for pass in passes {
        let graph = fuse(architecture.build(pass)?);
        let table = WeightTable::of(graph.weights(), |spec| spec.kept_in(dtype), usize::MAX)?;
        for state in graph.states().iter().filter(|state| !matches!(state.kind, StateKind::Cache { .. })) {
            let largest = states.entry(state.name.clone()).or_insert(0);
            *largest = state.bytes().max(*largest);
        }
        let buffers = lower(&graph, &table, device.capabilities())?.recording.buffers;
        let own: usize = buffers.iter().filter(|buffer| buffer.role == Role::Scratch).map(|buffer| buffer.bytes).sum();
        scratch = own.max(scratch);
    }
    Ok(states.into_values().sum::<usize>() as u64 + scratch as u64)
}
