use std::collections::HashMap;

use super::record::{BufferDecl, Command, Recording, Role};
use crate::base::sort_by_key;

/// Which of a weight's arrays a buffer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WeightPart {
    /// Elements, row by row, as the dtype packs them.
    Data,
    /// The f16 scales of quantised elements.
    Scales,
}

/// What an external buffer of a recording is; the session finds the buffer by it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ExternalKey {
    /// One array of one shard of the n-th weight.
    Weight {
        /// Number of the weight in its table.
        weight: usize,
        /// Number of the shard.
        shard: usize,
        /// Elements or scales.
        part: WeightPart,
    },
    /// A state of the session by name.
    State(String),
}

/// A recording and what its externals are.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The commands and buffers.
    pub recording: Recording,
    /// What to hand over as externals when the recording is loaded, in order.
    pub externals: Vec<ExternalKey>,
}

/// A virtual tensor of a lowered graph: memory not yet assigned.
#[derive(Debug, Clone)]
pub(super) struct VirtualTensor {
    pub label: String,
    pub bytes: usize,
    pub external: Option<ExternalKey>,
}

/// Commands whose bindings are virtual tensors.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub name: String,
    pub tensors: Vec<VirtualTensor>,
    pub commands: Vec<Command>,
}

/// First and last command that touches a tensor.
type Lifetime = (usize, usize);

/// Lays tensors into shared buffers, largest first: a tensor joins the first buffer that no tensor alive at the same
/// time uses.
///
/// Lifetimes include both ends, so what a dispatch reads and what it writes never share a buffer: WebGPU forbids one
/// buffer to be bound for reading and writing in one dispatch.
pub(super) fn plan(program: Program) -> Plan {
    let Program { name, tensors, mut commands } = program;
    let lifetimes = lifetimes(tensors.len(), &commands);
    let mut recording = Recording { name, ..Default::default() };
    let mut externals: Vec<ExternalKey> = Vec::new();
    let mut buffer_of = vec![u32::MAX; tensors.len()];

    let mut by_key: HashMap<ExternalKey, u32> = HashMap::new();
    for (i, tensor) in tensors.iter().enumerate() {
        let (Some(key), Some(_)) = (&tensor.external, lifetimes[i]) else { continue };
        buffer_of[i] = *by_key.entry(key.clone()).or_insert_with(|| {
            externals.push(key.clone());
            let role = Role::External(externals.len() as u32 - 1);
            recording.buffers.push(BufferDecl { bytes: tensor.bytes, role, label: tensor.label.clone() });
            recording.buffers.len() as u32 - 1
        });
    }

    let mut scratch: Vec<usize> = (0..tensors.len()).filter(|&i| buffer_of[i] == u32::MAX).collect();
    sort_by_key(&mut scratch, |&i| std::cmp::Reverse(tensors[i].bytes));
    let mut shared: Vec<(u32, Vec<Lifetime>)> = Vec::new();
    for i in scratch {
        let Some(life) = lifetimes[i] else { continue };
        let free = shared.iter_mut().find(|(_, taken)| taken.iter().all(|t| life.1 < t.0 || t.1 < life.0));
        buffer_of[i] = match free {
            Some((buffer, taken)) => {
                taken.push(life);
                *buffer
            }
            None => {
                let label = format!("scratch {}", shared.len());
                recording.buffers.push(BufferDecl { bytes: tensors[i].bytes, role: Role::Scratch, label });
                let buffer = recording.buffers.len() as u32 - 1;
                shared.push((buffer, vec![life]));
                buffer
            }
        };
    }

    for command in &mut commands {
        match command {
            Command::Dispatch(d) => d.bindings.iter_mut().for_each(|b| *b = buffer_of[*b as usize]),
            Command::Copy { from, to, .. } => {
                *from = buffer_of[*from as usize];
                *to = buffer_of[*to as usize];
            }
            Command::Mark(_) => {}
        }
    }
    recording.commands = commands;
    Plan { recording, externals }
}

fn lifetimes(tensors: usize, commands: &[Command]) -> Vec<Option<Lifetime>> {
    let mut lifetimes: Vec<Option<Lifetime>> = vec![None; tensors];
    let mut touch = |tensor: u32, at: usize| {
        let life = lifetimes[tensor as usize].get_or_insert((at, at));
        life.1 = at;
    };
    for (at, command) in commands.iter().enumerate() {
        match command {
            Command::Dispatch(d) => d.bindings.iter().for_each(|&b| touch(b, at)),
            Command::Copy { from, to, .. } => {
                touch(*from, at);
                touch(*to, at);
            }
            Command::Mark(_) => {}
        }
    }
    lifetimes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::{Dispatch, KernelId};

    /// Commands over tensors of the sizes given; some tensors are states.
    fn program(sizes: &[usize], uses: &[Vec<usize>]) -> Program {
        let tensor = |(n, &words): (usize, &usize)| VirtualTensor {
            label: n.to_string(),
            bytes: 4 * words,
            external: (n % 5 == 4).then(|| ExternalKey::State(n.to_string())),
        };
        let command = |tensors: &Vec<usize>| {
            let mut bindings: Vec<u32> = tensors.iter().map(|n| (n % sizes.len()) as u32).collect();
            bindings.dedup();
            match bindings[..] {
                [from, to] => Command::Copy { from, from_offset: 0, to, to_offset: 0, bytes: 4 },
                _ => Command::Dispatch(Dispatch { kernel: KernelId::Add, bindings, params: Vec::new(), grid: [1; 3] }),
            }
        };
        Program {
            name: String::new(),
            tensors: sizes.iter().enumerate().map(tensor).collect(),
            commands: uses.iter().map(command).collect(),
        }
    }

    fn bindings(command: &Command) -> Vec<u32> {
        match command {
            Command::Dispatch(dispatch) => dispatch.bindings.clone(),
            Command::Copy { from, to, .. } => vec![*from, *to],
            Command::Mark(_) => Vec::new(),
        }
    }

    proptest! {
        /// Played on paper: whenever a tensor is used, nothing has used its buffer since it was used last.
        #[test]
        fn no_two_living_tensors_share_a_buffer(
            sizes in prop::collection::vec(1usize..40, 1..24),
            uses in prop::collection::vec(prop::collection::vec(0usize..24, 1..5), 1..60),
        ) {
            let wanted = program(&sizes, &uses);
            let planned = plan(program(&sizes, &uses)).recording;
            let mut holds: HashMap<u32, u32> = HashMap::new();
            let mut seen: Vec<u32> = Vec::new();
            for (tensors, buffers) in wanted.commands.iter().zip(&planned.commands) {
                let pairs: Vec<(u32, u32)> = bindings(tensors).into_iter().zip(bindings(buffers)).collect();
                for &(tensor, buffer) in &pairs {
                    prop_assert!(planned.buffers[buffer as usize].bytes >= wanted.tensors[tensor as usize].bytes);
                    let shared = pairs.iter().any(|&(other, at)| other != tensor && at == buffer);
                    prop_assert!(!shared, "two tensors of one command in buffer {buffer}");
                    let before = holds.insert(buffer, tensor);
                    prop_assert!(!seen.contains(&tensor) || before == Some(tensor), "tensor {tensor} was overwritten");
                    seen.push(tensor);
                }
            }
        }
    }
}
