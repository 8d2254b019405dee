//! The table of all kernels, generated from `shaders/` when the crate is built.

use std::borrow::Cow;

use crate::tensor::Dtype;

/// How a kernel uses a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Only reads.
    Read,
    /// Writes, and may read.
    ReadWrite,
}

/// Device features that a kernel cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// `enable f16;`
    pub shader_f16: bool,
    /// `enable subgroups;`: not in the text, because naga refuses it; a browser wants it in front.
    pub subgroups: bool,
}

/// What is known of a kernel without compiling it.
#[derive(Debug)]
pub struct KernelInfo {
    /// Shader file and permutation: `matvec_q8`.
    pub name: &'static str,
    /// Its shader file; the CPU twin has the same name.
    pub kernel: Kernel,
    /// Element type of its weight, if it has one.
    pub weight: Option<Dtype>,
    /// WGSL after the build's preprocessing; see [`browser_wgsl`](Self::browser_wgsl) for what a browser needs besides.
    pub wgsl: &'static str,
    /// `@group(0)` in binding order.
    pub bindings: &'static [Access],
    /// Bytes of `@group(1) @binding(0)`; 0 if the kernel has no parameters.
    pub params_size: u32,
    /// Whether the kernel has `@group(1) @binding(1)`.
    pub uses_step: bool,
    /// Optional features without which a device cannot compile it.
    pub needs: Needs,
}

impl KernelInfo {
    /// The text for a browser: naga knows subgroup operations without being told, browsers want the `enable` line.
    pub fn browser_wgsl(&self) -> Cow<'static, str> {
        if self.needs.subgroups {
            return Cow::Owned(format!("enable subgroups;\n{}", self.wgsl));
        }
        Cow::Borrowed(self.wgsl)
    }
}

impl KernelId {
    /// What is known of the kernel.
    pub fn info(self) -> &'static KernelInfo {
        &KERNELS[self as usize]
    }

    /// Its name: shader file and permutation.
    pub fn name(self) -> &'static str {
        self.info().name
    }
}

include!(concat!(env!("OUT_DIR"), "/kernels.rs"));
