use std::sync::Arc;
use std::task::Waker;

use super::buffer::HostBuffer;
use super::load::{self, Rules};
use super::queue::{Drained, Pending, Shared, State};
use super::{CpuError, registry};
use crate::base::lock;
use crate::graph::record::{BufferId, PlanId, PlayerMemory, Read, Recording};
use crate::kernels::{Capabilities, DeviceClass, Kernel, Step};

/// Asked at every mark of a play: to go on, return false; to let others run first, arrange for the waker to be called
/// and return true.
///
/// A browser worker needs this, because its messages wait for as long as a future only wakes itself.
pub type Breath = fn(&Waker) -> bool;

/// The largest buffer: what a pointer difference can span.
const MAX_BUFFER: usize = isize::MAX as usize - 64;

/// Plays recordings on the CPU.
///
/// Its calls are those of the GPU player, and as there some are async; here they never wait for anything but plays.
/// Plays run in the order in which they were submitted, inside the polls of their futures.
pub struct CpuPlayer {
    state: Shared,
    capabilities: Capabilities,
    /// Bytes that there are, where that is known.
    memory: Option<u64>,
    find: fn(Kernel) -> registry::Run,
}

/// All that WebAssembly can address; other systems say what they have.
const ADDRESSABLE: Option<u64> = if cfg!(target_arch = "wasm32") { Some(1 << 32) } else { None };

impl Default for CpuPlayer {
    fn default() -> Self {
        Self::new()
    }
}

impl CpuPlayer {
    /// A player with the fastest version of every kernel.
    pub fn new() -> Self {
        let capabilities = Capabilities {
            class: DeviceClass::Cpu,
            shader_f16: false,
            subgroups: None,
            max_binding_bytes: MAX_BUFFER,
            max_buffer_bytes: MAX_BUFFER,
            max_workgroup_invocations: 256,
            max_workgroup_bytes: 16 << 10,
            max_workgroups: 65_535,
        };
        Self { state: Shared::default(), capabilities, memory: ADDRESSABLE, find: registry::fastest }
    }

    /// A player with the plain twin of every kernel: slow, and what everything else is tested against.
    pub fn plain() -> Self {
        Self { find: registry::plain, ..Self::new() }
    }

    /// Limits the bytes of a buffer, as devices do, so that large weights are split by rows.
    #[must_use]
    pub fn with_max_binding(mut self, bytes: usize) -> Self {
        self.capabilities.max_binding_bytes = bytes;
        self
    }

    /// Sets how many bytes there are for this player, those that it holds included.
    #[must_use]
    pub fn with_memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// Bytes that may still be allocated, where that is known.
    pub fn available(&self) -> Option<u64> {
        let held = self.memory();
        self.memory.map(|bytes| bytes.saturating_sub((held.buffers + held.scratch) as u64))
    }

    /// Sets what is asked at every mark; without it a play runs to its end in one poll.
    #[must_use]
    pub fn with_breath(self, breath: Breath) -> Self {
        lock(&self.state).breath = Some(breath);
        self
    }

    /// What the choice of kernels may depend on.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Makes a buffer of zeros; `bytes` is a multiple of 4 and not 0.
    ///
    /// # Errors
    /// No memory, more than a binding may have, or a size that is none.
    pub async fn create_buffer(&mut self, label: &str, bytes: usize) -> Result<BufferId, CpuError> {
        let mut state = lock(&self.state);
        if bytes == 0 {
            return Err(CpuError::BadRange { what: "a new buffer", offset: 0, bytes, size: MAX_BUFFER });
        }
        let limit = self.capabilities.max_binding_bytes;
        if bytes > limit {
            return Err(CpuError::TooLarge { what: label.into(), bytes, limit });
        }
        load::range("a new buffer", 0, bytes, MAX_BUFFER)?;
        let buffer = allocate(&state, label, bytes)?;
        let free = state.buffers.iter().position(Option::is_none);
        let index = free.unwrap_or_else(|| {
            state.buffers.push(None);
            state.buffers.len() - 1
        });
        state.buffers[index] = Some(buffer);
        Ok(BufferId(index as u32))
    }

    /// Writes bytes after all plays submitted so far; offset and length are multiples of 4.
    ///
    /// # Errors
    /// No such buffer, or a range outside it.
    pub fn write_buffer(&mut self, id: BufferId, offset: usize, bytes: &[u8]) -> Result<(), CpuError> {
        let mut state = lock(&self.state);
        state.drain();
        let size = state.buffer(id)?.len();
        load::range("a write", offset, bytes.len(), size)?;
        if let Some(buffer) = &mut state.buffers[id.0 as usize] {
            buffer.bytes_mut()[offset..offset + bytes.len()].copy_from_slice(bytes);
        }
        Ok(())
    }

    /// Frees a buffer after all plays submitted so far; plans that name it fail from then on.
    pub fn free_buffer(&mut self, id: BufferId) {
        let mut state = lock(&self.state);
        state.drain();
        if let Some(slot) = state.buffers.get_mut(id.0 as usize) {
            *slot = None;
        }
    }

    /// Reads bytes after all plays submitted so far; offset and size are multiples of 4.
    ///
    /// # Errors
    /// No such buffer, or a range outside it.
    pub async fn read_buffer(&mut self, id: BufferId, offset: usize, bytes: usize) -> Result<Vec<u8>, CpuError> {
        Drained(self.state.clone()).await;
        let state = lock(&self.state);
        let buffer = state.buffer(id)?;
        load::range("a read", offset, bytes, buffer.len())?;
        Ok(buffer.bytes()[offset..offset + bytes].to_vec())
    }

    /// Checks a recording and makes it ready to play with these externals.
    ///
    /// # Errors
    /// A recording that contradicts the kernel table or its externals, a binding above the limit, or no memory for
    /// scratch buffers.
    pub async fn load(&mut self, recording: &Recording, externals: &[BufferId]) -> Result<PlanId, CpuError> {
        let mut state = lock(&self.state);
        state.drain();
        let plan = self.planned(&state, recording, externals)?;
        for (n, &bytes) in plan.scratch.iter().enumerate() {
            if state.scratch.get(n).is_none_or(|found| found.len() < bytes) {
                let buffer = allocate(&state, &format!("scratch of {}", recording.name), bytes)?;
                match state.scratch.get_mut(n) {
                    Some(slot) => *slot = buffer,
                    None => state.scratch.push(buffer),
                }
            }
        }
        let free = state.plans.iter().position(Option::is_none);
        let index = free.unwrap_or_else(|| {
            state.plans.push(None);
            state.plans.len() - 1
        });
        state.plans[index] = Some(Arc::new(plan));
        Ok(PlanId(index as u32))
    }

    /// Whether a recording could be loaded, but for memory.
    ///
    /// # Errors
    /// A recording that contradicts the kernel table or its externals, or a binding above the limit.
    pub fn check(&self, recording: &Recording, externals: &[BufferId]) -> Result<(), CpuError> {
        self.planned(&lock(&self.state), recording, externals).map(drop)
    }

    fn planned(&self, state: &State, recording: &Recording, externals: &[BufferId]) -> Result<load::Plan, CpuError> {
        let size_of = |id| state.buffer(id).ok().map(HostBuffer::len);
        let max_binding = self.capabilities.max_binding_bytes;
        load::plan(recording, externals, &Rules { max_binding, find: self.find, size_of: &size_of })
    }

    /// Forgets a plan; plays of it that were submitted still run.
    pub fn unload(&mut self, plan: PlanId) {
        if let Some(slot) = lock(&self.state).plans.get_mut(plan.0 as usize) {
            *slot = None;
        }
    }

    /// Submits one play and says what to read back, in order, when it has ended.
    ///
    /// Nothing has run when this returns: the play runs when its future, or that of a later play, is polled.
    ///
    /// # Errors
    /// No such plan. What goes wrong while it plays comes from the future.
    pub fn play(&mut self, plan: PlanId, step: &Step, reads: &[Read]) -> Result<Pending, CpuError> {
        let mut state = lock(&self.state);
        let found = state.plans.get(plan.0 as usize).and_then(Option::clone);
        let found = found.ok_or(CpuError::Missing { what: "plan", id: plan.0 })?;
        let outcome = state.submit(found, *step, reads.to_vec());
        Ok(Pending { state: self.state.clone(), outcome })
    }

    /// Drops every play that has not ended; their futures resolve to [`CpuError::Cancelled`], and what they would have
    /// written is undefined.
    pub fn cancel(&mut self) {
        lock(&self.state).cancel();
    }

    /// Bytes held; what the kernels keep for themselves counts as scratch.
    pub fn memory(&self) -> PlayerMemory {
        lock(&self.state).memory()
    }
}

fn allocate(state: &State, label: &str, bytes: usize) -> Result<HostBuffer, CpuError> {
    let memory = state.memory();
    let short = || CpuError::OutOfMemory { label: label.into(), bytes, held: memory.buffers + memory.scratch };
    HostBuffer::zeroed(bytes).ok_or_else(short)
}
