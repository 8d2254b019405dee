use super::call::Call;
use super::fast::Workspace;
use super::{CpuError, fast, twins};
use crate::kernels::Kernel;

/// A kernel on the CPU.
pub(super) type Run = fn(&mut Call<'_>, &mut Workspace) -> Result<(), CpuError>;

include!(concat!(env!("OUT_DIR"), "/twins.rs"));

/// The fastest version of a kernel that there is.
pub(super) fn fastest(kernel: Kernel) -> Run {
    fast::find(kernel).unwrap_or_else(|| plain(kernel))
}
