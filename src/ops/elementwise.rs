use super::{Bind, Emitter, Operand, Operation, ShapeError, Shapes, Tensor, Value};
use crate::kernels::KernelId;
use crate::kernels::params::AddParams;

/// Elementwise sum `[T, D]`. Where `b` has fewer rows they repeat: a table of positions meets several pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct Add {
    /// `[T, D]`.
    pub a: Value,
    /// `[N, D]`, N a divisor of T.
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
        let ([rows, width], [repeated, other_width]) = (shapes.of(self.a), shapes.of(self.b));
        shapes.equal("width of the sum", other_width, width)?;
        let whole = repeated > 0 && rows.is_multiple_of(repeated);
        shapes.supported("the rows of the sum", format!("{rows} and {repeated}"), whole, "all or a divisor of them")?;
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
        let first_row = if bind.is_part(self.b) { 0 } else { bind.first_row() };
        add(e, a, b, first_row, out);
    }
}

/// `a + b`, rows of `b` over and over from row `first_row` of them on.
pub fn add(e: &mut Emitter, a: Tensor, b: Tensor, first_row: usize, out: Tensor) {
    let b_first = first_row % b.rows.max(1);
    let params =
        AddParams { tokens: out.rows as u32, width: out.width as u32, b_rows: b.rows as u32, b_first: b_first as u32 };
    let grid = [out.width.div_ceil(64) as u32, out.rows as u32, 1];
    e.push(KernelId::Add, vec![a.handle, b.handle, out.handle], &params, grid);
}
