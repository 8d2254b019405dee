use super::{Bind, Emitter, Operand, Operation, ShapeError, Shapes, Tensor, Value};
use crate::kernels::params::ActivateParams;
use crate::kernels::{Activation, KernelId};

/// An activation on its own: `[T, D]` to `[T, D]`, or half the width where it is gated.
#[derive(Debug, Clone, PartialEq)]
pub struct Activate {
    /// What it is applied to.
    pub x: Value,
    /// Which; [`Activation::None`] would do nothing and is refused.
    pub activation: Activation,
}

impl Operation for Activate {
    fn reads(&self) -> Vec<Operand> {
        vec![self.x.into()]
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeError> {
        let [rows, width] = shapes.of(self.x);
        let some = self.activation != Activation::None;
        shapes.supported("the activation", "None", some, "a function that does something")?;
        let paired = !self.activation.is_gated() || width.is_multiple_of(2);
        shapes.supported("the width", width, paired, "an even number: pairs of gate and up")?;
        Ok([rows, self.activation.width(width)])
    }

    fn describe(&self) -> String {
        format!("activate {:?}", self.activation)
    }

    fn row_wise(&self) -> Option<Vec<Value>> {
        Some(vec![self.x])
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let x = bind.tensor(self.x);
        activate(e, x, self.activation, out);
    }
}

/// An activation on its own: the form that fusion replaces.
pub fn activate(e: &mut Emitter, x: Tensor, activation: Activation, out: Tensor) {
    let params = ActivateParams {
        tokens: out.rows as u32,
        width: out.width as u32,
        act: activation.code(),
        gated: u32::from(activation.is_gated()),
        cap: activation.cap(),
        ..Default::default()
    };
    let grid = [out.width.div_ceil(64) as u32, out.rows as u32, 1];
    e.push(KernelId::Activate, vec![x.handle, out.handle], &params, grid);
}
