use super::{Bind, Emitter, Operand, Operation, ShapeError, Shapes, Tensor, Value};
use crate::kernels::KernelId;
use crate::kernels::params::AddParams;

/// Elementwise sum of two values of one shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Add {
    /// One.
    pub a: Value,
    /// The other.
    pub b: Value,
}

impl Add {
    /// The operand that is not `value`; `None` where both or neither are.
    pub fn other(&self, value: Value) -> Option<Value> {
        match (self.a == value, self.b == value) {
            (true, false) => Some(self.b),
            (false, true) => Some(self.a),
            _ => None,
        }
    }
}

impl Operation for Add {
    fn reads(&self) -> Vec<Operand> {
        vec![self.a.into(), self.b.into()]
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeError> {
        let ([rows, width], [other_rows, other_width]) = (shapes.of(self.a), shapes.of(self.b));
        shapes.equal("rows of the sum", other_rows, rows)?;
        shapes.equal("width of the sum", other_width, width)?;
        Ok([rows, width])
    }

    fn describe(&self) -> String {
        "add".into()
    }

    fn row_wise(&self) -> Option<Vec<Value>> {
        Some(vec![self.a, self.b])
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let (a, b) = (bind.tensor(self.a), bind.tensor(self.b));
        add(e, a, b, out);
    }
}

/// `a + b`.
pub fn add(e: &mut Emitter, a: Tensor, b: Tensor, out: Tensor) {
    let params = AddParams { tokens: out.rows as u32, width: out.width as u32, ..Default::default() };
    let grid = [out.width.div_ceil(64) as u32, out.rows as u32, 1];
    e.push(KernelId::Add, vec![a.handle, b.handle, out.handle], &params, grid);
}
