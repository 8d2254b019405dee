//! Fast versions of the kernels that matter, each tested against its plain twin.

#[cfg(target_arch = "x86_64")]
mod avx2;
pub mod linear;
mod panel;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod portable;
mod quantise;
mod simd;
mod threads;
mod tile;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
mod workspace;

pub use workspace::Workspace;

use super::registry::Run;

/// The fast version of a kernel, by its base name.
pub(super) fn find(base: &str) -> Option<Run> {
    let run: Run = match base {
        "matmul_tiled" | "matmul_regs" | "matvec" | "matvec_serial" => linear::run,
        _ => return None,
    };
    Some(run)
}
