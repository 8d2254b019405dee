/// Memory that kernels keep from call to call, so that no call allocates once the first of its size has run.
#[derive(Debug, Default)]
pub struct Workspace {
    /// Activations as int16.
    pub(super) x16: Vec<i16>,
    /// One factor per block of `x16`.
    pub(super) x_scales: Vec<f32>,
    /// Sums before their epilogue, transposed keys, tables of angles.
    pub(super) shared: Vec<f32>,
    /// One for each thread.
    pub(super) lanes: Vec<Lane>,
}

/// The part of a workspace that one thread has to itself.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// A panel of weights as int16.
    pub w16: Vec<i16>,
    /// A panel of weights as f32, or sums of attention.
    pub w32: Vec<f32>,
    /// Scales as f32.
    pub scales: Vec<f32>,
}

impl Workspace {
    /// Bytes held.
    pub(in crate::cpu) fn bytes(&self) -> usize {
        let lanes: usize = self.lanes.iter().map(|l| l.w16.len() * 2 + (l.w32.len() + l.scales.len()) * 4).sum();
        self.x16.len() * 2 + (self.x_scales.len() + self.shared.len()) * 4 + lanes
    }
}

/// Makes sure that there are `count` lanes.
pub(super) fn lanes_for(lanes: &mut Vec<Lane>, count: usize) {
    if lanes.len() < count {
        lanes.resize_with(count, Lane::default);
    }
}

/// The first `count` elements, more being made if needed; what they hold is left over from before.
pub(super) fn room<T: Copy + Default>(held: &mut Vec<T>, count: usize) -> &mut [T] {
    if held.len() < count {
        held.resize(count, T::default());
    }
    &mut held[..count]
}
