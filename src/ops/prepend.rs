use super::{Bind, Emitter, Operand, Operation, ShapeError, Shapes, Tensor, Value};
use crate::kernels::KernelId;
use crate::kernels::params::PrependParams;

/// Each of B sequences with the rows of `prefix` in front: `[N, D]` and `[B * P, D]` to `[B * (N + P), D]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepend {
    /// `[N, D]`: a class token, registers, the query of a pooling head.
    pub prefix: Value,
    /// `[B * P, D]`; without it `prefix` comes B times.
    pub x: Option<Value>,
    /// B.
    pub sequences: usize,
}

impl Operation for Prepend {
    fn reads(&self) -> Vec<Operand> {
        [self.prefix].into_iter().chain(self.x).map(Operand::from).collect()
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeError> {
        let ([prefix, width], sequences) = (shapes.of(self.prefix), self.sequences);
        shapes.supported("the sequences", sequences, sequences > 0, "at least 1")?;
        shapes.supported("the rows of the prefix", prefix, prefix > 0, "at least 1")?;
        shapes.whole_vectors(width)?;
        let rows = self.x.map_or(0, |x| shapes.rows(x));
        shapes.equal("rows of the sequences", rows, rows.div_ceil(sequences) * sequences)?;
        if let Some(x) = self.x {
            shapes.equal("width of the prefix", width, shapes.width(x))?;
        }
        Ok([sequences * prefix + rows, width])
    }

    fn describe(&self) -> String {
        format!("prepend to {} sequences", self.sequences)
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let (prefix, x) = (bind.tensor(self.prefix), self.x.map(|x| bind.tensor(x)));
        prepend(e, prefix, x, self.sequences, out);
    }
}

/// The rows of `prefix`, then those of a sequence of `x`, for each of `sequences`.
pub fn prepend(e: &mut Emitter, prefix: Tensor, x: Option<Tensor>, sequences: usize, out: Tensor) {
    let params = PrependParams {
        tokens: out.rows as u32,
        width: out.width as u32,
        prefix_rows: prefix.rows as u32,
        x_rows: x.map_or(0, |x| x.rows / sequences.max(1)) as u32,
    };
    let grid = [out.width.div_ceil(4 * 64) as u32, out.rows as u32, 1];
    // An unused operand is bound to the prefix: the layout of a kernel does not depend on its parameters.
    let bindings = vec![prefix.handle, x.unwrap_or(prefix).handle, out.handle];
    e.push(KernelId::Prepend, bindings, &params, grid);
}
