use std::ops::Range;

use super::{Bind, Emitter, Operand, Operation, ShapeError, Shapes, Tensor, Value};
use crate::kernels::KernelId;
use crate::kernels::params::{MeanRowsParams, SelectRowsParams};

/// The same N rows of every sequence: `[B * R, D]` to `[B * N, D]`.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectRows {
    /// The sequences, one after the other.
    pub x: Value,
    /// R, rows of each.
    pub sequence_rows: usize,
    /// Which are taken.
    pub rows: Range<usize>,
}

impl SelectRows {
    /// One row of every sequence.
    pub fn one(x: Value, sequence_rows: usize, row: usize) -> Self {
        Self { x, sequence_rows, rows: row..row + 1 }
    }
}

impl Operation for SelectRows {
    fn reads(&self) -> Vec<Operand> {
        vec![self.x.into()]
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeError> {
        let Self { sequence_rows, rows, .. } = self;
        let within = rows.start < rows.end && rows.end <= *sequence_rows;
        let found = || format!("{rows:?} of {sequence_rows}");
        shapes.supported("the rows of a sequence", found(), within, "at least one of its rows")?;
        let [all, width] = whole_sequences(shapes, self.x, *sequence_rows)?;
        Ok([all / sequence_rows * rows.len(), width])
    }

    fn describe(&self) -> String {
        format!("select_rows {:?} of {}", self.rows, self.sequence_rows)
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let x = bind.tensor(self.x);
        select_rows(e, x, self.sequence_rows, &self.rows, out);
    }
}

/// Mean of the rows of every sequence from one on: `[B * R, D]` to `[B, D]`.
#[derive(Debug, Clone, PartialEq)]
pub struct MeanRows {
    /// The sequences, one after the other.
    pub x: Value,
    /// R, rows of each.
    pub sequence_rows: usize,
    /// Rows in front that do not count: class tokens, registers.
    pub skip: usize,
}

impl Operation for MeanRows {
    fn reads(&self) -> Vec<Operand> {
        vec![self.x.into()]
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeError> {
        let Self { sequence_rows, skip, .. } = *self;
        shapes.supported("the rows of a sequence", sequence_rows, skip < sequence_rows, "more than are left out")?;
        let [rows, width] = whole_sequences(shapes, self.x, sequence_rows)?;
        Ok([rows / sequence_rows, width])
    }

    fn describe(&self) -> String {
        format!("mean_rows {:?}", self.skip..self.sequence_rows)
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let x = bind.tensor(self.x);
        mean_rows(e, x, self.sequence_rows, self.skip, out);
    }
}

/// The shape of `x`, which is whole sequences of so many rows, at least 1.
fn whole_sequences(shapes: &Shapes<'_>, x: Value, sequence_rows: usize) -> Result<[usize; 2], ShapeError> {
    let [rows, width] = shapes.of(x);
    shapes.equal("rows of the sequences", rows, rows.div_ceil(sequence_rows) * sequence_rows)?;
    shapes.whole_vectors(width)?;
    Ok([rows, width])
}

/// `rows` of every sequence of `sequence_rows` rows of `x`.
pub fn select_rows(e: &mut Emitter, x: Tensor, sequence_rows: usize, rows: &Range<usize>, out: Tensor) {
    let params = SelectRowsParams {
        tokens: out.rows as u32,
        width: out.width as u32,
        sequence_rows: sequence_rows as u32,
        first: rows.start as u32,
        rows: rows.len() as u32,
        ..Default::default()
    };
    let grid = [out.width.div_ceil(4 * 64) as u32, out.rows as u32, 1];
    e.push(KernelId::SelectRows, vec![x.handle, out.handle], &params, grid);
}

/// Mean of the rows from `skip` on of every sequence of `sequence_rows` rows of `x`.
pub fn mean_rows(e: &mut Emitter, x: Tensor, sequence_rows: usize, skip: usize, out: Tensor) {
    let params = MeanRowsParams {
        tokens: out.rows as u32,
        width: out.width as u32,
        sequence_rows: sequence_rows as u32,
        skip: skip as u32,
    };
    let grid = [out.width.div_ceil(4 * 32) as u32, out.rows as u32, 1];
    e.push(KernelId::MeanRows, vec![x.handle, out.handle], &params, grid);
}
