//! Fast versions of the kernels that matter, each tested against its plain twin.

pub mod argmax;
pub mod attention;
pub mod attention_split;
#[cfg(target_arch = "x86_64")]
mod avx2;
pub mod elementwise;
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

/// The fast version of a kernel, by its base name.
pub(super) fn find(base: &str) -> Option<Run> {
    let run: Run = match base {
        "matmul_tiled" | "matmul_regs" | "matvec" | "matvec_serial" => linear::run,
        "layer_norm" => norm::run_layer_norm,
        "rms_norm" => norm::run_rms_norm,
        "rope_append" => rope_append::run,
        "attention" | "attention_serial" => attention::run,
        "attention_split" | "attention_split_serial" => attention_split::run,
        "gelu" => elementwise::run_gelu,
        "geglu" => elementwise::run_geglu,
        "softcap" => elementwise::run_softcap,
        "argmax_partial" => argmax::run_partial,
        "top_k_first" => top_k::run_first,
        "top_k_merge" => top_k::run_merge,
        _ => return None,
    };
    Some(run)
}
