use super::{Bind, Emitter, Operand, Operation, ShapeError, Shapes, Tensor, Value};
use crate::kernels::KernelId;
use crate::kernels::params::ResizeTableParams;

/// A square table of positions for a grid of another shape, by a separable triangle filter: `[S * S, D]` to `[Y * X,
/// D]`. As PyTorch's `interpolate(mode="bilinear", antialias=True, align_corners=False)`.
#[derive(Debug, Clone, PartialEq)]
pub struct ResizeTable {
    /// `[S * S, D]`.
    pub table: Value,
    /// S, places along a side of the table.
    pub from: usize,
    /// Y and X, places of the grid from top to bottom and from left to right.
    pub to: [usize; 2],
}

/// The most places along a side: the numerators of weights fit 32 bits.
const MOST: usize = 1 << 14;

impl Operation for ResizeTable {
    fn reads(&self) -> Vec<Operand> {
        vec![self.table.into()]
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeError> {
        let Self { from, to: [rows, columns], .. } = *self;
        for (what, side) in [("the side of the table", from), ("the rows of the grid", rows), ("its columns", columns)]
        {
            shapes.supported(what, side, (1..=MOST).contains(&side), "1 to 16384")?;
        }
        let [found, width] = shapes.of(self.table);
        shapes.equal("rows of the table", found, from * from)?;
        shapes.whole_vectors(width)?;
        Ok([rows * columns, width])
    }

    fn describe(&self) -> String {
        let Self { from, to: [rows, columns], .. } = self;
        format!("resize_table {from}x{from} to {rows}x{columns}")
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let table = bind.tensor(self.table);
        resize_table(e, table, self.from, self.to, out);
    }
}

/// A table of `from` places along a side as a grid of `[rows, columns]`.
pub fn resize_table(e: &mut Emitter, table: Tensor, from: usize, [rows, columns]: [usize; 2], out: Tensor) {
    let params = ResizeTableParams {
        tokens: out.rows as u32,
        width: out.width as u32,
        side: from as u32,
        rows: rows as u32,
        columns: columns as u32,
        ..Default::default()
    };
    let grid = [out.width.div_ceil(4 * 32) as u32, out.rows as u32, 1];
    e.push(KernelId::ResizeTable, vec![table.handle, out.handle], &params, grid);
}
