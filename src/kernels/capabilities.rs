/// What kind of machine executes the kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceClass {
    /// A real GPU: workgroup memory and barriers are cheap, many invocations are needed to fill it.
    Gpu,
    /// A WebGPU adapter that runs on the CPU (lavapipe, SwiftShader, WARP): barriers are very expensive, few fat
    /// invocations win.
    Software,
    /// The CPU player.
    Cpu,
}

/// The range of subgroup widths a device may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubgroupSizes {
    /// Invocations of the narrowest subgroup: what a kernel may count on.
    pub min: u32,
    /// Invocations of the widest subgroup; a device may pick any width up to it for a kernel.
    pub max: u32,
}

/// What a device can do: everything that the choice of a kernel may depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// What kind of machine it is.
    pub class: DeviceClass,
    /// WGSL `enable f16` works.
    pub shader_f16: bool,
    /// Subgroup operations work, with these widths.
    pub subgroups: Option<SubgroupSizes>,
    /// Largest storage binding in bytes; tensors above it are split by rows.
    pub max_binding_bytes: usize,
    /// Largest buffer in bytes.
    pub max_buffer_bytes: usize,
    /// Most invocations in a workgroup.
    pub max_workgroup_invocations: u32,
    /// Most bytes of workgroup memory.
    pub max_workgroup_bytes: u32,
    /// Most workgroups along one axis of a dispatch.
    pub max_workgroups: u32,
}
