use bytemuck::{Pod, Zeroable};

/// A cache line; buffers are made of them so that every row of a weight starts where vector loads like it.
#[repr(C, align(64))]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
struct Line([u32; 16]);

/// Bytes in host memory, aligned to 64.
#[derive(Debug, Default)]
pub(super) struct HostBuffer {
    lines: Vec<Line>,
    bytes: usize,
}

impl HostBuffer {
    /// A buffer of zeros, or `None` if the system has no memory for it.
    pub(super) fn zeroed(bytes: usize) -> Option<Self> {
        let count = bytes.div_ceil(size_of::<Line>());
        let mut lines = Vec::new();
        lines.try_reserve_exact(count).ok()?;
        lines.resize(count, Line::zeroed());
        Some(Self { lines, bytes })
    }

    /// Size in bytes.
    pub(super) fn len(&self) -> usize {
        self.bytes
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.lines)[..self.bytes]
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.bytes]
    }
}
