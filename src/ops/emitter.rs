use bytemuck::NoUninit;

use crate::kernels::{Capabilities, Dispatch, KernelId};

/// Collects the dispatches of one operation and hands out its temporaries.
pub struct Emitter<'a> {
    /// What the device can do.
    pub capabilities: &'a Capabilities,
    dispatches: Vec<Dispatch>,
    temporaries: Vec<usize>,
}

/// Handles from here on are temporaries of the emitting operation.
const FIRST_TEMPORARY: u32 = 1 << 31;

impl<'a> Emitter<'a> {
    /// An empty emitter for a device.
    pub fn new(capabilities: &'a Capabilities) -> Self {
        Self { capabilities, dispatches: Vec::new(), temporaries: Vec::new() }
    }

    /// Scratch memory that lives from its first to its last use.
    pub(super) fn scratch(&mut self, bytes: usize) -> u32 {
        self.temporaries.push(bytes);
        FIRST_TEMPORARY + self.temporaries.len() as u32 - 1
    }

    pub(super) fn push<P: NoUninit>(&mut self, kernel: KernelId, bindings: Vec<u32>, params: &P, grid: [u32; 3]) {
        let params = bytemuck::bytes_of(params).to_vec();
        self.dispatches.push(Dispatch { kernel, bindings, params, grid });
    }

    /// Which temporary a handle is, if it is one.
    pub fn temporary(handle: u32) -> Option<u32> {
        handle.checked_sub(FIRST_TEMPORARY)
    }

    /// The dispatches in order, and the sizes in bytes of the temporaries they use.
    pub fn finish(self) -> (Vec<Dispatch>, Vec<usize>) {
        (self.dispatches, self.temporaries)
    }

    /// A grid of at least `groups` workgroups, folded over y where the device's limit on x is lower.
    pub(super) fn fold(&self, groups: usize) -> [u32; 3] {
        let most = self.capabilities.max_workgroups as usize;
        let y = groups.div_ceil(most).max(1);
        [groups.div_ceil(y).max(1) as u32, y as u32, 1]
    }
}
