use super::{Bind, Emitter, Operand, Operation, RowChoice, ShapeError, Shapes, Tensor, Value};
use crate::kernels::params::NormParams;
use crate::kernels::{DeviceClass, KernelId};

/// LayerNorm over the width: `[T, D]` to `[T, D]`.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerNorm {
    /// What is normalised.
    pub x: Value,
    /// `[D]`.
    pub weight: Value,
    /// `[D]`.
    pub bias: Value,
    /// Added to the variance.
    pub eps: f32,
}

impl Operation for LayerNorm {
    fn reads(&self) -> Vec<Operand> {
        vec![self.x.into(), self.weight.into(), self.bias.into()]
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeError> {
        let [rows, width] = shapes.of(self.x);
        shapes.equal("width of the norm's weight", shapes.elements(self.weight), width)?;
        shapes.equal("width of the norm's bias", shapes.elements(self.bias), width)?;
        shapes.whole_vectors(width)?;
        Ok([rows, width])
    }

    fn describe(&self) -> String {
        "layer_norm".into()
    }

    fn row_wise(&self) -> Option<Vec<Value>> {
        Some(vec![self.x])
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let (x, weight, bias) = (bind.tensor(self.x), bind.tensor(self.weight), bind.tensor(self.bias));
        layer_norm(e, x, weight, bias, self.eps, out);
    }
}

/// RMSNorm over the width with factor `1 + weight`, plus `residual`: `[T, D]` to `[T, D]`.
#[derive(Debug, Clone, PartialEq)]
pub struct RmsNorm {
    /// What is normalised.
    pub x: Value,
    /// `[D]`.
    pub weight: Value,
    /// Shape of the output.
    pub residual: Option<Value>,
    /// Added to the mean square.
    pub eps: f32,
    /// Rows of `x` that are normalised.
    pub rows: RowChoice,
}

impl Operation for RmsNorm {
    fn reads(&self) -> Vec<Operand> {
        [self.x.into(), self.weight.into()].into_iter().chain(self.residual.map(Operand::from)).collect()
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeError> {
        let width = shapes.width(self.x);
        let rows = self.rows.count(shapes.rows(self.x));
        shapes.equal("width of the norm's weight", shapes.elements(self.weight), width)?;
        if let Some(residual) = self.residual {
            shapes.equal("width of the residual", shapes.width(residual), width)?;
            shapes.equal("rows of the residual", shapes.rows(residual), rows)?;
        }
        shapes.whole_vectors(width)?;
        Ok([rows, width])
    }

    fn describe(&self) -> String {
        format!("rms_norm {:?}", self.rows)
    }

    fn row_wise(&self) -> Option<Vec<Value>> {
        (self.rows == RowChoice::All).then(|| [Some(self.x), self.residual].into_iter().flatten().collect())
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let (x, weight) = (bind.tensor(self.x), bind.tensor(self.weight));
        let residual = self.residual.map(|residual| bind.tensor(residual));
        rms_norm(e, x, weight, residual, self.eps, self.rows, out);
    }
}

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
        sequence_rows: rows.sequence_rows(),
        eps,
        residual: u32::from(residual),
        ..Default::default()
    };
    e.push(kernel, bindings, &params, [out.rows as u32, 1, 1]);
}
