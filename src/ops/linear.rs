use std::ops::Range;

use super::{
    Activation, Bind, Emitter, Operand, Operation, RowChoice, ShapeError, Shapes, Tensor, Value, WeightId,
    WeightOperand,
};
use crate::kernels::params::LinearParams;
use crate::kernels::{DeviceClass, KernelId};
use crate::quant::layout;
use crate::tensor::Dtype;

/// `act(x · weightᵀ + bias) + residual`: `[T, K]` and `[N, K]` to `[T, N]`, or `[T, N/2]` where the activation is gated.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// `[T, K]`, K padded to a multiple of 4.
    pub x: Value,
    /// `[N, K]`.
    pub weight: WeightId,
    /// `[N]`.
    pub bias: Option<Value>,
    /// Shape of the output.
    pub residual: Option<Value>,
    /// Applied before the residual is added.
    pub activation: Activation,
    /// Rows of `x` that are multiplied.
    pub rows: RowChoice,
    /// Rows of the weight that `x` is multiplied by, if not all.
    pub part: Option<Range<usize>>,
}

impl Linear {
    /// `x · weightᵀ + bias`, all rows by all rows.
    pub fn new(x: Value, weight: WeightId, bias: Option<Value>) -> Self {
        Self { x, weight, bias, residual: None, activation: Activation::None, rows: RowChoice::All, part: None }
    }
}

impl Operation for Linear {
    fn reads(&self) -> Vec<Operand> {
        let more = [self.bias, self.residual].into_iter().flatten().map(Operand::from);
        [self.x.into(), self.weight.into()].into_iter().chain(more).collect()
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeError> {
        let [all, k] = shapes.weight(self.weight);
        let n = self.part.as_ref().map_or(all, Range::len);
        if let Some(part) = &self.part {
            let within = part.start < part.end && part.end <= all;
            shapes.supported(
                "the rows of the weight",
                format!("{part:?} of {all}"),
                within,
                "at least one of its rows",
            )?;
        }
        shapes.equal("width of the input", shapes.width(self.x), k.next_multiple_of(4))?;
        if let Some(bias) = self.bias {
            shapes.equal("length of the bias", shapes.elements(bias), n)?;
        }
        let paired = !self.activation.is_gated() || n.is_multiple_of(2);
        shapes.supported("the rows of the weight", n, paired, "an even number: pairs of gate and up")?;
        let [rows, width] = [self.rows.count(shapes.rows(self.x)), self.activation.width(n)];
        if let Some(residual) = self.residual {
            shapes.equal("width of the residual", shapes.width(residual), width)?;
            shapes.equal("rows of the residual", shapes.rows(residual), rows)?;
        }
        Ok([rows, width])
    }

    fn describe(&self) -> String {
        let Self { activation, rows, part, .. } = self;
        let part = part.as_ref().map_or(String::new(), |part| format!(" of {part:?}"));
        format!("linear {activation:?} {rows:?}{part}")
    }

    fn row_wise(&self) -> Option<Vec<Value>> {
        (self.rows == RowChoice::All).then(|| [Some(self.x), self.residual].into_iter().flatten().collect())
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let whole = bind.weight(self.weight);
        let operands = LinearOperands {
            x: bind.tensor(self.x),
            weight: self.part.as_ref().map_or(whole.clone(), |part| whole.part(part)),
            bias: self.bias.map(|bias| bind.tensor(bias)),
            residual: self.residual.map(|residual| bind.tensor(residual)),
            out,
        };
        linear(e, &operands, self.activation, self.rows);
    }
}

/// Operands of `act(x · weightᵀ + bias) + residual`.
#[derive(Debug, Clone)]
pub struct LinearOperands {
    /// `[T, K]`.
    pub x: Tensor,
    /// `[N, K]`.
    pub weight: WeightOperand,
    /// `[N]`.
    pub bias: Option<Tensor>,
    /// Shape of `out`.
    pub residual: Option<Tensor>,
    /// `[T, N]`, or `[T, N/2]` where the activation is gated.
    pub out: Tensor,
}

/// Up to this many rows the weights are read once per row: reading them is what takes the time.
const MATVEC_ROWS: usize = 4;

/// The structure of a linear kernel; all compute the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    MatmulTiled,
    /// With the weight's slice in f16, where the device has it.
    MatmulTiledHalf,
    MatmulRegs,
    Matvec,
    /// With subgroup sums, where the device has them.
    MatvecSub,
    MatvecSerial,
}

/// One dispatch per shard of the weight.
pub fn linear(e: &mut Emitter, operands: &LinearOperands, activation: Activation, rows: RowChoice) {
    let LinearOperands { x, weight, bias, residual, out } = operands;
    let tokens = rows.count(x.rows);
    let bytes = layout(weight.dtype, weight.k);
    let shape = match (e.capabilities.class, tokens <= MATVEC_ROWS) {
        (DeviceClass::Gpu, true) if e.capabilities.subgroups.is_some() => Shape::MatvecSub,
        (DeviceClass::Gpu, true) => Shape::Matvec,
        (DeviceClass::Gpu, false) if e.capabilities.shader_f16 => Shape::MatmulTiledHalf,
        (DeviceClass::Gpu, false) => Shape::MatmulTiled,
        (DeviceClass::Software | DeviceClass::Cpu, true) => Shape::MatvecSerial,
        (DeviceClass::Software | DeviceClass::Cpu, false) => Shape::MatmulRegs,
    };
    for shard in &weight.shards {
        let params = LinearParams {
            tokens: tokens as u32,
            k: x.width as u32,
            rows: shard.rows as u32,
            first_row: shard.first_row as u32,
            out_stride: out.width as u32,
            row_words: (bytes.row_bytes / 4) as u32,
            row_scales: bytes.row_scales as u32,
            x_row: rows.x_row(),
            sequence_rows: rows.sequence_rows(),
            weight_row: shard.skip as u32,
            act: activation.code(),
            gated: u32::from(activation.is_gated()),
            cap: activation.cap(),
            bias: u32::from(bias.is_some()),
            residual: u32::from(residual.is_some()),
            ..Default::default()
        };
        let mut bindings = vec![x.handle, shard.data];
        bindings.extend(shard.scales);
        // An unused operand is bound to x: the layout of a kernel does not depend on its parameters.
        bindings.push(bias.map_or(x.handle, |b| b.handle));
        bindings.push(residual.map_or(x.handle, |r| r.handle));
        bindings.push(out.handle);
        let grid = grid(e, shape, tokens, shard.rows);
        e.push(kernel(shape, weight.dtype), bindings, &params, grid);
    }
}

/// As the shaders' headers say: columns in x, rows in y.
fn grid(e: &Emitter, shape: Shape, tokens: usize, rows: usize) -> [u32; 3] {
    let (columns, tall) = match shape {
        Shape::MatmulTiled | Shape::MatmulTiledHalf => (64, 64),
        Shape::MatmulRegs => (4 * 32, 16),
        Shape::Matvec | Shape::MatvecSub => (4, 1),
        Shape::MatvecSerial => (8 * 8, 1),
    };
    let [x, z, _] = e.fold(rows.div_ceil(columns));
    [x, tokens.div_ceil(tall) as u32, z]
}

fn kernel(shape: Shape, dtype: Dtype) -> KernelId {
    match (shape, dtype) {
        // f32 weights would lose bits in f16.
        (Shape::MatmulTiled | Shape::MatmulTiledHalf, Dtype::F32) => KernelId::MatmulTiledF32,
        (Shape::MatmulTiled, Dtype::F16) => KernelId::MatmulTiledF16,
        (Shape::MatmulTiled, Dtype::Q8) => KernelId::MatmulTiledQ8,
        (Shape::MatmulTiled, Dtype::Q4) => KernelId::MatmulTiledQ4,
        (Shape::MatmulTiledHalf, Dtype::F16) => KernelId::MatmulTiledF16Half,
        (Shape::MatmulTiledHalf, Dtype::Q8) => KernelId::MatmulTiledQ8Half,
        (Shape::MatmulTiledHalf, Dtype::Q4) => KernelId::MatmulTiledQ4Half,
        (Shape::MatmulRegs, Dtype::F32) => KernelId::MatmulRegsF32,
        (Shape::MatmulRegs, Dtype::F16) => KernelId::MatmulRegsF16,
        (Shape::MatmulRegs, Dtype::Q8) => KernelId::MatmulRegsQ8,
        (Shape::MatmulRegs, Dtype::Q4) => KernelId::MatmulRegsQ4,
        (Shape::Matvec, Dtype::F32) => KernelId::MatvecF32,
        (Shape::Matvec, Dtype::F16) => KernelId::MatvecF16,
        (Shape::Matvec, Dtype::Q8) => KernelId::MatvecQ8,
        (Shape::Matvec, Dtype::Q4) => KernelId::MatvecQ4,
        (Shape::MatvecSub, Dtype::F32) => KernelId::MatvecF32Sub,
        (Shape::MatvecSub, Dtype::F16) => KernelId::MatvecF16Sub,
        (Shape::MatvecSub, Dtype::Q8) => KernelId::MatvecQ8Sub,
        (Shape::MatvecSub, Dtype::Q4) => KernelId::MatvecQ4Sub,
        (Shape::MatvecSerial, Dtype::F32) => KernelId::MatvecSerialF32,
        (Shape::MatvecSerial, Dtype::F16) => KernelId::MatvecSerialF16,
        (Shape::MatvecSerial, Dtype::Q8) => KernelId::MatvecSerialQ8,
        (Shape::MatvecSerial, Dtype::Q4) => KernelId::MatvecSerialQ4,
    }
}
