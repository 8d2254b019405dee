use bytemuck::Pod;

use super::CpuError;
use crate::kernels::{Activation, Function, KernelInfo, Step};
use crate::tensor::Dtype;

/// A buffer as a kernel sees it.
#[derive(Default)]
pub(super) enum Bound<'a> {
    /// Not bound, or already taken.
    #[default]
    None,
    /// Read only.
    Read(&'a [u8]),
    /// Read and written; no other binding of the same dispatch is this buffer.
    Write(&'a mut [u8]),
}

/// Most bindings of a kernel.
pub(super) const MAX_BINDINGS: usize = 8;

/// One dispatch with its buffers: what a twin is called with.
pub(super) struct Call<'a> {
    pub info: &'static KernelInfo,
    pub params: &'a [u8],
    pub step: &'a Step,
    pub bound: [Bound<'a>; MAX_BINDINGS],
}

/// The product of extents, saturating: a size that no buffer has stays one that no buffer has.
pub(super) fn size(extents: &[usize]) -> usize {
    extents.iter().fold(1, |product: usize, &e| product.saturating_mul(e))
}

impl<'a> Call<'a> {
    /// The kernel's parameter struct.
    pub(super) fn params<P: Pod>(&self) -> Result<P, CpuError> {
        bytemuck::try_pod_read_unaligned(self.params).map_err(|_| CpuError::BadDispatch {
            kernel: self.info.name,
            what: "bytes of parameters",
            expected: size_of::<P>(),
            found: self.params.len(),
        })
    }

    /// The dtype of the kernel's weight.
    pub(super) fn weight_dtype(&self) -> Result<Dtype, CpuError> {
        self.info.weight.ok_or(CpuError::BadDispatch {
            kernel: self.info.name,
            what: "weights of the kernel",
            expected: 1,
            found: 0,
        })
    }

    /// The activation that a kernel's parameters mean.
    pub(super) fn activation(&self, act: u32, gated: u32, cap: f32) -> Result<Activation, CpuError> {
        Activation::of_params(act, gated, cap).ok_or_else(|| self.unknown_activation(act))
    }

    /// Says that the kernel has no activation of this code.
    pub(super) fn unknown_activation(&self, act: u32) -> CpuError {
        CpuError::BadDispatch {
            kernel: self.info.name,
            what: "codes of activations up to",
            expected: Function::all(0.0).len(),
            found: act as usize,
        }
    }

    /// Rows of this pass up to the last valid one, at most the plan's capacity.
    pub(super) fn tokens(&self, capacity: u32) -> usize {
        capacity.min(self.step.rows) as usize
    }

    /// The first `count` elements of a binding that is read.
    pub(super) fn read<T: Pod>(&self, binding: usize, count: usize) -> Result<&'a [T], CpuError> {
        let bytes: &'a [u8] = match self.bound.get(binding) {
            Some(&Bound::Read(bytes)) => bytes,
            _ => return Err(self.not_bound(binding)),
        };
        let needed = size(&[count, size_of::<T>()]);
        let bytes = bytes.get(..needed).ok_or_else(|| self.too_small(binding, needed, bytes.len()))?;
        bytemuck::try_cast_slice(bytes).map_err(|_| self.not_bound(binding))
    }

    /// The first `count` elements of a binding that is written; it can be taken once.
    pub(super) fn write<T: Pod>(&mut self, binding: usize, count: usize) -> Result<&'a mut [T], CpuError> {
        let bytes: &'a mut [u8] = match self.bound.get_mut(binding).map(std::mem::take) {
            Some(Bound::Write(bytes)) => bytes,
            _ => return Err(self.not_bound(binding)),
        };
        let (needed, found) = (size(&[count, size_of::<T>()]), bytes.len());
        let bytes = bytes.get_mut(..needed).ok_or_else(|| self.too_small(binding, needed, found))?;
        bytemuck::try_cast_slice_mut(bytes).map_err(|_| self.not_bound(binding))
    }

    /// Fails unless `found` is at most `limit`.
    pub(super) fn at_most(&self, what: &'static str, found: usize, limit: usize) -> Result<(), CpuError> {
        if found <= limit { Ok(()) } else { Err(CpuError::BadStep { kernel: self.info.name, what, found, limit }) }
    }

    /// Fails unless `found` equals `expected`.
    pub(super) fn agree(&self, what: &'static str, found: usize, expected: usize) -> Result<(), CpuError> {
        if found == expected {
            Ok(())
        } else {
            Err(CpuError::BadDispatch { kernel: self.info.name, what, expected, found })
        }
    }

    fn too_small(&self, binding: usize, needed: usize, found: usize) -> CpuError {
        CpuError::BufferTooSmall { kernel: self.info.name, binding, needed, found }
    }

    fn not_bound(&self, binding: usize) -> CpuError {
        CpuError::BadDispatch {
            kernel: self.info.name,
            what: "bindings of the kind that the kernel uses",
            expected: binding + 1,
            found: binding,
        }
    }
}
