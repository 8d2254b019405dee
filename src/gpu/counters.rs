use std::sync::atomic::{AtomicU64, Ordering};

/// How often a player has done what costs time, since it was opened: a decode step must add one submit, and the few
/// bytes of its result, but no buffer and no pipeline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Submissions to the queue.
    pub submits: u64,
    /// Buffers made.
    pub buffers: u64,
    /// Pipelines compiled.
    pub pipelines: u64,
    /// Bytes read back.
    pub bytes_read: u64,
}

/// The running counts of a device.
#[derive(Debug, Default)]
pub(super) struct Counters {
    submits: AtomicU64,
    buffers: AtomicU64,
    pipelines: AtomicU64,
    bytes_read: AtomicU64,
}

impl Counters {
    pub fn submitted(&self, bytes_read: usize) {
        self.submits.fetch_add(1, Ordering::Relaxed);
        self.bytes_read.fetch_add(bytes_read as u64, Ordering::Relaxed);
    }

    pub fn made_buffer(&self) {
        self.buffers.fetch_add(1, Ordering::Relaxed);
    }

    pub fn made_pipeline(&self) {
        self.pipelines.fetch_add(1, Ordering::Relaxed);
    }

    pub fn counts(&self) -> Counts {
        Counts {
            submits: self.submits.load(Ordering::Relaxed),
            buffers: self.buffers.load(Ordering::Relaxed),
            pipelines: self.pipelines.load(Ordering::Relaxed),
            bytes_read: self.bytes_read.load(Ordering::Relaxed),
        }
    }
}
