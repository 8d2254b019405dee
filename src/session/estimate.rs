//! What a model would take of a device beside its weights, told without one.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::kv_cache::{KvCache, cache_bytes_per_token};
use crate::base::{Result, sort_by_key};
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

/// Bytes of scratch, inputs and results of some passes as the CPU plays them, without what its kernels keep for
/// themselves. Passes share scratch, largest to largest.
///
/// # Errors
/// Passes that cannot be built.
pub fn activation_bytes(architecture: &dyn Architecture, dtype: Dtype, passes: &[Pass]) -> Result<u64> {
    let device = CpuPlayer::new();
    let (mut states, mut scratch) = (HashMap::new(), Vec::new());
    for pass in passes {
        let graph = fuse(architecture.build(pass)?);
        let table = WeightTable::of(graph.weights(), |spec| spec.kept_in(dtype), usize::MAX)?;
        for state in graph.states().iter().filter(|state| !matches!(state.kind, StateKind::Cache { .. })) {
            let largest = states.entry(state.name.clone()).or_insert(0);
            *largest = state.bytes().max(*largest);
        }
        let buffers = lower(&graph, &table, device.capabilities())?.recording.buffers;
        let mut own: Vec<usize> =
            buffers.iter().filter(|buffer| buffer.role == Role::Scratch).map(|buffer| buffer.bytes).collect();
        sort_by_key(&mut own, |&bytes| Reverse(bytes));
        scratch.resize(own.len().max(scratch.len()), 0);
        scratch.iter_mut().zip(own).for_each(|(shared, bytes)| *shared = bytes.max(*shared));
    }
    Ok(states.into_values().sum::<usize>() as u64 + scratch.into_iter().sum::<usize>() as u64)
}
