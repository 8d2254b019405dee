use super::{Emitter, RowChoice, Tensor};
use crate::kernels::params::NormParams;
use crate::kernels::{DeviceClass, KernelId, Overrides, overrides};

/// LayerNorm over the width.
pub fn layer_norm(e: &mut Emitter, x: Tensor, weight: Tensor, bias: Tensor, eps: f32, out: Tensor) {
    let kernel = choose(e, [KernelId::LayerNormSerial, KernelId::LayerNormWorkgroup, KernelId::LayerNormSub]);
    let bindings = vec![x.handle, weight.handle, bias.handle, out.handle];
    push(e, kernel, Overrides::default(), bindings, eps, RowChoice::All, out);
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
    let values = overrides::RmsNorm { residual: u32::from(residual.is_some()), plus_one: 1 }.values();
    let bindings = vec![x.handle, weight.handle, residual.map_or(x.handle, |r| r.handle), out.handle];
    push(e, kernel, values, bindings, eps, rows, out);
}

fn choose(e: &Emitter, [serial, workgroup, sub]: [KernelId; 3]) -> KernelId {
    match (e.capabilities.class, e.capabilities.subgroups) {
        (DeviceClass::Gpu, Some(_)) => sub,
        (DeviceClass::Gpu, None) => workgroup,
        (DeviceClass::Software | DeviceClass::Cpu, _) => serial,
    }
}

fn push(
    e: &mut Emitter,
    kernel: KernelId,
    values: Overrides,
    bindings: Vec<u32>,
    eps: f32,
    rows: RowChoice,
    out: Tensor,
) {
    let params = NormParams { tokens: out.rows as u32, width: out.width as u32, x_row: rows.x_row(), eps };
    e.push(kernel, values, bindings, &params, [out.rows as u32, 1, 1]);
}
