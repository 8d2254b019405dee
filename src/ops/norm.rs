use super::{Emitter, RowChoice, Tensor};
use crate::kernels::params::NormParams;
use crate::kernels::{DeviceClass, KernelId};

/// LayerNorm over the width.
pub fn layer_norm(e: &mut Emitter, x: Tensor, weight: Tensor, bias: Tensor, eps: f32, out: Tensor) {
    let kernel = choose(e, [KernelId::LayerNormSerial, KernelId::LayerNormWorkgroup, KernelId::LayerNormSub]);
    let bindings = vec![x.handle, weight.handle, bias.handle, out.handle];
    push(e, kernel, bindings, eps, RowChoice::All, false, out);
}

/// RMSNorm over the width with factor `1 + weight`, plus `residual`.
pub fn rms_norm(
    e: &mut Emitter,
    x: Tensor,
    weight: Tensor,
    residual: Option<Tensor>,
    eps: f32,
    rows: RowChoice,
    out: Tensor,
) {
    let kernel = choose(e, [KernelId::RmsNormSerial, KernelId::RmsNormWorkgroup, KernelId::RmsNormSub]);
    let bindings = vec![x.handle, weight.handle, residual.map_or(x.handle, |r| r.handle), out.handle];
    push(e, kernel, bindings, eps, rows, residual.is_some(), out);
}

fn choose(e: &Emitter, [serial, workgroup, sub]: [KernelId; 3]) -> KernelId {
    match (e.capabilities.class, e.capabilities.subgroups) {
        (DeviceClass::Gpu, Some(_)) => sub,
        (DeviceClass::Gpu, None) => workgroup,
        (DeviceClass::Software | DeviceClass::Cpu, _) => serial,
    }
}

fn push(e: &mut Emitter, kernel: KernelId, bindings: Vec<u32>, eps: f32, rows: RowChoice, residual: bool, out: Tensor) {
    let params = NormParams {
        tokens: out.rows as u32,
        width: out.width as u32,
        x_row: rows.x_row(),
        eps,
        residual: u32::from(residual),
        ..Default::default()
    };
    e.push(kernel, bindings, &params, [out.rows as u32, 1, 1]);
}
