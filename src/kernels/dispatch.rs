use super::KernelId;

/// One run of a kernel, as plain data.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispatch {
    /// A shader with its permutation; the CPU player runs the twin of that shader.
    pub kernel: KernelId,
    /// The buffers of `@group(0)` in binding order, as indices into the recording's buffers.
    pub bindings: Vec<u32>,
    /// The bytes of the kernel's parameter struct; empty if it has none.
    pub params: Vec<u8>,
    /// Workgroups along x, y and z.
    pub grid: [u32; 3],
}
