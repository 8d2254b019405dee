//! Plays in order, and the futures that drive them.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use super::CpuError;
use super::buffer::HostBuffer;
use super::call::{Bound, Call, MAX_BINDINGS};
use super::fast::Workspace;
use super::load::{Op, Place, Plan, range};
use super::player::Breath;
use crate::base::lock;
use crate::graph::record::{BufferId, PlayerMemory, Read};
use crate::kernels::{Access, Dispatch, Step};

type Outcome = Arc<Mutex<Option<Result<Vec<u8>, CpuError>>>>;

struct Job {
    plan: Arc<Plan>,
    step: Step,
    next: usize,
    reads: Vec<Read>,
    outcome: Outcome,
}

/// Everything that a player owns.
#[derive(Default)]
pub(super) struct State {
    pub buffers: Vec<Option<HostBuffer>>,
    pub scratch: Vec<HostBuffer>,
    pub plans: Vec<Option<Arc<Plan>>>,
    pub workspace: Workspace,
    pub breath: Option<Breath>,
    queue: VecDeque<Job>,
}

pub(super) type Shared = Arc<Mutex<State>>;

impl State {
    /// Bytes of all buffers; what the kernels keep for themselves counts as scratch.
    pub(super) fn memory(&self) -> PlayerMemory {
        PlayerMemory {
            buffers: self.buffers.iter().flatten().map(HostBuffer::len).sum(),
            scratch: self.scratch.iter().map(HostBuffer::len).sum::<usize>() + self.workspace.bytes(),
        }
    }

    pub(super) fn buffer(&self, id: BufferId) -> Result<&HostBuffer, CpuError> {
        self.buffers.get(id.0 as usize).and_then(Option::as_ref).ok_or(CpuError::Missing { what: "buffer", id: id.0 })
    }

    /// Puts a play at the end of the queue; nothing runs yet.
    pub(super) fn submit(&mut self, plan: Arc<Plan>, step: Step, reads: Vec<Read>) -> Outcome {
        let outcome = Outcome::default();
        self.queue.push_back(Job { plan, step, next: 0, reads, outcome: outcome.clone() });
        outcome
    }

    /// Drops every play that has not ended; their futures resolve to [`CpuError::Cancelled`].
    pub(super) fn cancel(&mut self) {
        for job in self.queue.drain(..) {
            set(&job.outcome, Err(CpuError::Cancelled));
        }
    }

    /// Runs every queued play to its end.
    pub(super) fn drain(&mut self) {
        while self.advance(None).is_some() {}
    }

    /// Runs the first play up to its end or, with a waker, to the next mark at which the caller wants to breathe.
    ///
    /// `None` if there is nothing to run, else whether to yield now.
    fn advance(&mut self, waker: Option<&Waker>) -> Option<bool> {
        let mut job = self.queue.pop_front()?;
        let plan = job.plan.clone();
        while let Some(op) = plan.ops.get(job.next) {
            job.next += 1;
            let done = match op {
                Op::Run { run, dispatch } => self.dispatch(&plan, *run, dispatch, &job.step),
                &Op::Copy { from, from_offset, to, to_offset, bytes } => {
                    self.copy(plan.places[from], from_offset, plan.places[to], to_offset, bytes)
                }
                Op::Mark => {
                    if let (Some(breath), Some(waker)) = (self.breath, waker)
                        && breath(waker)
                    {
                        self.queue.push_front(job);
                        return Some(true);
                    }
                    Ok(())
                }
            };
            if let Err(error) = done {
                set(&job.outcome, Err(error));
                return Some(false);
            }
        }
        let read = self.finish(&plan, &job.reads);
        set(&job.outcome, read);
        Some(false)
    }

    fn finish(&self, plan: &Plan, reads: &[Read]) -> Result<Vec<u8>, CpuError> {
        let mut all = Vec::new();
        for &Read { external, offset, bytes } in reads {
            let missing = CpuError::Missing { what: "external", id: external };
            let buffer = self.buffer(*plan.externals.get(external as usize).ok_or(missing)?)?;
            range("a read after a play", offset, bytes, buffer.len())?;
            all.extend_from_slice(&buffer.bytes()[offset..offset + bytes]);
        }
        Ok(all)
    }

    fn take(&mut self, place: Place) -> Result<HostBuffer, CpuError> {
        let slot = match place {
            Place::External(id) => self.buffers.get_mut(id.0 as usize).and_then(Option::as_mut),
            Place::Scratch(n) => self.scratch.get_mut(n),
        };
        slot.map(std::mem::take).ok_or_else(|| missing(place))
    }

    fn put(&mut self, place: Place, buffer: HostBuffer) {
        match place {
            Place::External(id) => self.buffers[id.0 as usize] = Some(buffer),
            Place::Scratch(n) => self.scratch[n] = buffer,
        }
    }

    /// Runs one kernel. The buffers it writes are out of the table while it does, so nothing aliases.
    fn dispatch(
        &mut self,
        plan: &Plan,
        run: super::registry::Run,
        dispatch: &Dispatch,
        step: &Step,
    ) -> Result<(), CpuError> {
        let info = dispatch.kernel.info();
        let place = |n: usize| plan.places[dispatch.bindings[n] as usize];
        let mut written: [HostBuffer; MAX_BINDINGS] = Default::default();
        for (n, access) in info.bindings.iter().enumerate() {
            if *access == Access::ReadWrite {
                match self.take(place(n)) {
                    Ok(buffer) => written[n] = buffer,
                    Err(error) => {
                        (0..n).filter(|&m| info.bindings[m] == Access::ReadWrite).for_each(|m| {
                            self.put(place(m), std::mem::take(&mut written[m]));
                        });
                        return Err(error);
                    }
                }
            }
        }
        let mut workspace = std::mem::take(&mut self.workspace);
        let result = self.call(plan, run, dispatch, step, &mut written, &mut workspace);
        self.workspace = workspace;
        for (n, access) in info.bindings.iter().enumerate() {
            if *access == Access::ReadWrite {
                self.put(place(n), std::mem::take(&mut written[n]));
            }
        }
        result
    }

    fn call(
        &self,
        plan: &Plan,
        run: super::registry::Run,
        dispatch: &Dispatch,
        step: &Step,
        written: &mut [HostBuffer; MAX_BINDINGS],
        workspace: &mut Workspace,
    ) -> Result<(), CpuError> {
        let info = dispatch.kernel.info();
        let mut bound: [Bound<'_>; MAX_BINDINGS] = Default::default();
        for (n, (slot, written)) in bound.iter_mut().zip(written).enumerate().take(info.bindings.len()) {
            *slot = if info.bindings[n] == Access::ReadWrite {
                Bound::Write(written.bytes_mut())
            } else {
                Bound::Read(match plan.places[dispatch.bindings[n] as usize] {
                    Place::External(id) => self.buffer(id)?.bytes(),
                    place @ Place::Scratch(n) => self.scratch.get(n).ok_or_else(|| missing(place))?.bytes(),
                })
            };
        }
        let mut call = Call { info, params: &dispatch.params, step, bound };
        run(&mut call, workspace)
    }

    fn copy(
        &mut self,
        from: Place,
        from_offset: usize,
        to: Place,
        to_offset: usize,
        bytes: usize,
    ) -> Result<(), CpuError> {
        let mut target = self.take(to)?;
        let source = match from {
            Place::External(id) => self.buffer(id).map(HostBuffer::bytes),
            Place::Scratch(n) => self.scratch.get(n).map(HostBuffer::bytes).ok_or_else(|| missing(from)),
        };
        let result = source.and_then(|source| {
            range("a copy", from_offset, bytes, source.len())?;
            range("a copy", to_offset, bytes, target.len())?;
            target.bytes_mut()[to_offset..to_offset + bytes].copy_from_slice(&source[from_offset..from_offset + bytes]);
            Ok(())
        });
        self.put(to, target);
        result
    }
}

fn missing(place: Place) -> CpuError {
    match place {
        Place::External(id) => CpuError::Missing { what: "buffer", id: id.0 },
        Place::Scratch(n) => CpuError::Missing { what: "scratch buffer", id: n as u32 },
    }
}

fn set(outcome: &Outcome, result: Result<Vec<u8>, CpuError>) {
    *lock(outcome) = Some(result);
}

/// The bytes that a play reads back, empty if it reads none.
///
/// A play runs when its future, or that of a later play, is polled, or when the player is asked for anything that
/// depends on it; dropping the future takes nothing back. See [`CpuPlayer::cancel`](super::CpuPlayer::cancel).
pub struct Pending {
    pub(super) state: Shared,
    pub(super) outcome: Outcome,
}

impl Future for Pending {
    type Output = Result<Vec<u8>, CpuError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let done = lock(&self.outcome).take();
            if let Some(result) = done {
                return Poll::Ready(result);
            }
            match lock(&self.state).advance(Some(context.waker())) {
                Some(true) => return Poll::Pending,
                Some(false) => {}
                // Polled again after it was ready.
                None => return Poll::Ready(Err(CpuError::Missing { what: "result of play", id: 0 })),
            }
        }
    }
}

/// Resolves when every play queued so far has ended.
pub(super) struct Drained(pub(super) Shared);

impl Future for Drained {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        loop {
            match lock(&self.0).advance(Some(context.waker())) {
                Some(true) => return Poll::Pending,
                Some(false) => {}
                None => return Poll::Ready(()),
            }
        }
    }
}
