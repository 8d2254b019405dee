//! Fast versions of the kernels that matter, each tested against its plain twin.

pub mod activate;
pub mod argmax;
pub mod attention;
pub mod attention_split;
#[cfg(target_arch = "x86_64")]
mod avx2;
pub mod linear;
pub mod norm;
mod panel;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod portable;
mod quantise;
mod rope_append;
pub(super) mod simd;
mod threads;
mod tile;
pub mod top_k;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
mod workspace;

pub use workspace::Workspace;

use super::registry::Run;
use crate::kernels::Kernel;

/// The fast version of a kernel, if it has one.
pub(super) fn find(kernel: Kernel) -> Option<Run> {
    let run: Run = match kernel {
        Kernel::MatmulTiled | Kernel::MatmulRegs | Kernel::Matvec | Kernel::MatvecSerial => linear::run,
        Kernel::LayerNorm => norm::run_layer_norm,
        Kernel::RmsNorm => norm::run_rms_norm,
        Kernel::RopeAppend => rope_append::run,
        Kernel::Attention | Kernel::AttentionSerial => attention::run,
        Kernel::AttentionSplit | Kernel::AttentionSplitSerial => attention_split::run,
        Kernel::Activate => activate::run,
        Kernel::ArgmaxPartial => argmax::run_partial,
        Kernel::TopKFirst => top_k::run_first,
        Kernel::TopKMerge => top_k::run_merge,
        _ => return None,
    };
    Some(run)
}
