//! Turns a recording into a plan: everything that can be checked once is checked here.

use super::CpuError;
use super::call::MAX_BINDINGS;
use super::registry::Run;
use crate::graph::record::{BufferId, Command, Recording, Role};
use crate::kernels::{Access, Dispatch, Kernel};

/// Where a buffer of a plan lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A buffer of the session.
    External(BufferId),
    /// The n-th of the scratch buffers that all plans share.
    Scratch(usize),
}

/// A command with everything looked up.
pub(super) enum Op {
    Run { run: Run, dispatch: Dispatch },
    Copy { from: usize, from_offset: usize, to: usize, to_offset: usize, bytes: usize },
    Mark,
}

/// A recording that is ready to play.
pub(super) struct Plan {
    pub places: Vec<Place>,
    pub externals: Vec<BufferId>,
    pub ops: Vec<Op>,
    /// Bytes that each shared scratch buffer must have for this plan.
    pub scratch: Vec<usize>,
}

/// What a player knows that a plan must respect.
pub(super) struct Rules<'a> {
    pub max_binding: usize,
    pub find: fn(Kernel) -> Run,
    /// Size of an external buffer, if there is one of that id.
    pub size_of: &'a dyn Fn(BufferId) -> Option<usize>,
}

/// Checks a recording against the kernel table and its externals and looks up its kernels.
pub(super) fn plan(recording: &Recording, externals: &[BufferId], rules: &Rules<'_>) -> Result<Plan, CpuError> {
    let (places, scratch) = place(recording, externals, rules)?;
    let mut ops = Vec::with_capacity(recording.commands.len());
    for command in &recording.commands {
        ops.push(match command {
            Command::Dispatch(dispatch) => {
                check(recording, dispatch, rules)?;
                Op::Run { run: (rules.find)(dispatch.kernel.info().kernel), dispatch: dispatch.clone() }
            }
            &Command::Copy { from, from_offset, to, to_offset, bytes } => {
                for (index, offset) in [(from, from_offset), (to, to_offset)] {
                    let size = declared(recording, "copy", index)?;
                    range("a copy", offset, bytes, size)?;
                }
                if places[from as usize] == places[to as usize] {
                    return Err(wrong("copy", "different buffers", 2, 1));
                }
                Op::Copy { from: from as usize, from_offset, to: to as usize, to_offset, bytes }
            }
            Command::Mark(_) => Op::Mark,
        });
    }
    Ok(Plan { places, externals: externals.to_vec(), ops, scratch })
}

/// Assigns scratch buffers to shared ones, largest to largest, and externals to the session's buffers.
fn place(
    recording: &Recording,
    externals: &[BufferId],
    rules: &Rules<'_>,
) -> Result<(Vec<Place>, Vec<usize>), CpuError> {
    let mut places = Vec::with_capacity(recording.buffers.len());
    let mut scratch: Vec<(usize, usize)> = Vec::new();
    for (index, decl) in recording.buffers.iter().enumerate() {
        match decl.role {
            Role::Scratch => {
                scratch.push((decl.bytes, index));
                places.push(Place::Scratch(0));
            }
            Role::External(n) => {
                let id = *externals.get(n as usize).ok_or(CpuError::Missing { what: "external", id: n })?;
                let found = (rules.size_of)(id).ok_or(CpuError::Missing { what: "buffer", id: id.0 })?;
                if found < decl.bytes {
                    return Err(CpuError::BadRange {
                        what: "an external of the recording",
                        offset: 0,
                        bytes: decl.bytes,
                        size: found,
                    });
                }
                places.push(Place::External(id));
            }
        }
    }
    scratch.sort_by_key(|&(bytes, index)| (std::cmp::Reverse(bytes), index));
    for (rank, &(_, index)) in scratch.iter().enumerate() {
        places[index] = Place::Scratch(rank);
    }
    Ok((places, scratch.into_iter().map(|(bytes, _)| bytes).collect()))
}

fn check(recording: &Recording, dispatch: &Dispatch, rules: &Rules<'_>) -> Result<(), CpuError> {
    let info = dispatch.kernel.info();
    let count = dispatch.bindings.len();
    if count != info.bindings.len() || count > MAX_BINDINGS {
        return Err(wrong(info.name, "bindings", info.bindings.len(), count));
    }
    if dispatch.params.len() != info.params_size as usize {
        return Err(wrong(info.name, "bytes of parameters", info.params_size as usize, dispatch.params.len()));
    }
    for (&index, access) in dispatch.bindings.iter().zip(info.bindings) {
        let bytes = declared(recording, info.name, index)?;
        if bytes > rules.max_binding {
            return Err(CpuError::TooLarge { what: info.name.into(), bytes, limit: rules.max_binding });
        }
        let times = dispatch.bindings.iter().filter(|&&other| other == index).count();
        if *access == Access::ReadWrite && times != 1 {
            return Err(wrong(info.name, "uses of a buffer that is written", 1, times));
        }
    }
    Ok(())
}

fn declared(recording: &Recording, kernel: &'static str, index: u32) -> Result<usize, CpuError> {
    let found = recording.buffers.get(index as usize);
    found
        .map(|b| b.bytes)
        .ok_or_else(|| wrong(kernel, "a buffer of the recording", recording.buffers.len(), index as usize))
}

fn wrong(kernel: &'static str, what: &'static str, expected: usize, found: usize) -> CpuError {
    CpuError::BadRecording { kernel, what, expected, found }
}

/// Fails unless `offset..offset + bytes` lies in a buffer of `size` bytes and is a multiple of four.
pub(super) fn range(what: &'static str, offset: usize, bytes: usize, size: usize) -> Result<(), CpuError> {
    let inside = offset.checked_add(bytes).is_some_and(|end| end <= size);
    if inside && offset.is_multiple_of(4) && bytes.is_multiple_of(4) {
        Ok(())
    } else {
        Err(CpuError::BadRange { what, offset, bytes, size })
    }
}
