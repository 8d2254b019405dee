use super::call::Call;
use super::fast::Workspace;
use super::{CpuError, fast, twins};
use crate::kernels::KernelId;

/// A kernel on the CPU.
pub(super) type Run = fn(&mut Call<'_>, &mut Workspace) -> Result<(), CpuError>;

/// The plain twin of a kernel: the oracle.
pub(super) fn plain(kernel: KernelId) -> Option<Run> {
    let run: Run = match kernel.info().base {
        "matmul_tiled" | "matmul_regs" | "matvec" | "matvec_serial" => |c, _| twins::linear::run(c),
        "embed" => |c, _| twins::embed::run(c),
        "place_rows" => |c, _| twins::place_rows::run(c),
        "patchify" => |c, _| twins::patchify::run(c),
        "unfold" => |c, _| twins::convolution::run_unfold(c),
        "fold" => |c, _| twins::convolution::run_fold(c),
        "layer_norm" => |c, _| twins::norm::run_layer_norm(c),
        "rms_norm" => |c, _| twins::norm::run_rms_norm(c),
        "rope_append" => |c, _| twins::rope_append::run(c),
        "gather_slots" => |c, _| twins::gather_slots::run(c),
        "attention" | "attention_serial" => |c, _| twins::attention::run(c),
        "attention_split" | "attention_split_serial" => |c, _| twins::attention_split::run_split(c),
        "attention_merge" => |c, _| twins::attention_split::run_merge(c),
        "gelu" => |c, _| twins::elementwise::run_gelu(c),
        "geglu" => |c, _| twins::elementwise::run_geglu(c),
        "softcap" => |c, _| twins::elementwise::run_softcap(c),
        "relu" => |c, _| twins::elementwise::run_relu(c),
        "add" => |c, _| twins::elementwise::run_add(c),
        "argmax_partial" => |c, _| twins::argmax::run_partial(c),
        "argmax_merge" => |c, _| twins::argmax::run_merge(c),
        "top_k_first" => |c, _| twins::top_k::run_first(c),
        "top_k_merge" => |c, _| twins::top_k::run_merge(c),
        "log_softmax" => |c, _| twins::log_softmax::run(c),
        _ => return None,
    };
    Some(run)
}

/// The fastest version of a kernel that there is.
pub(super) fn fastest(kernel: KernelId) -> Option<Run> {
    fast::find(kernel.info().base).or_else(|| plain(kernel))
}
