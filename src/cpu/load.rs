//! Turns a recording into a plan: everything that can be checked once is checked here.

use super::CpuError;
use super::call::MAX_BINDINGS;
use super::registry::Run;
use crate::base::sort_by_key;
use crate::graph::record::{BufferId, Command, Recording, Role};
use crate::kernels::{Dispatch, Kernel};

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
    let size = |&id| Ok((id, (rules.size_of)(id).ok_or(CpuError::Missing { what: "buffer", id: id.0 })?));
    recording.check(&externals.iter().map(size).collect::<Result<Vec<_>, CpuError>>()?)?;
    let (places, scratch) = place(recording, externals);
    let mut ops = Vec::with_capacity(recording.commands.len());
    for command in &recording.commands {
        ops.push(match command {
            Command::Dispatch(dispatch) => {
                check_limits(recording, dispatch, rules)?;
                Op::Run { run: (rules.find)(dispatch.kernel.info().kernel), dispatch: dispatch.clone() }
            }
            &Command::Copy { from, from_offset, to, to_offset, bytes } => {
                Op::Copy { from: from as usize, from_offset, to: to as usize, to_offset, bytes }
            }
            Command::Mark(_) => Op::Mark,
        });
    }
    Ok(Plan { places, externals: externals.to_vec(), ops, scratch })
}

/// Assigns scratch buffers to shared ones, largest to largest, and externals to the session's buffers.
fn place(recording: &Recording, externals: &[BufferId]) -> (Vec<Place>, Vec<usize>) {
    let mut places = Vec::with_capacity(recording.buffers.len());
    let mut scratch: Vec<(usize, usize)> = Vec::new();
    for (index, decl) in recording.buffers.iter().enumerate() {
        places.push(match decl.role {
            Role::External(n) => Place::External(externals[n as usize]),
            Role::Scratch => {
                scratch.push((decl.bytes, index));
                Place::Scratch(0)
            }
        });
    }
    sort_by_key(&mut scratch, |&(bytes, index)| (std::cmp::Reverse(bytes), index));
    for (rank, &(_, index)) in scratch.iter().enumerate() {
        places[index] = Place::Scratch(rank);
    }
    (places, scratch.into_iter().map(|(bytes, _)| bytes).collect())
}

/// What only this player limits.
fn check_limits(recording: &Recording, dispatch: &Dispatch, rules: &Rules<'_>) -> Result<(), CpuError> {
    let kernel = dispatch.kernel.info().name;
    let found = dispatch.bindings.len();
    if found > MAX_BINDINGS {
        return Err(CpuError::BadDispatch { kernel, what: "bindings", expected: MAX_BINDINGS, found });
    }
    for &index in &dispatch.bindings {
        let bytes = recording.buffers[index as usize].bytes;
        if bytes > rules.max_binding {
            return Err(CpuError::TooLarge { what: kernel.into(), bytes, limit: rules.max_binding });
        }
    }
    Ok(())
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
