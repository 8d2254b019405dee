use std::ops::Range;

use crate::tensor::Dtype;

/// A matrix of activations `[rows, width]` by handle. Handles mean something only to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tensor {
    /// What dispatches bind.
    pub handle: u32,
    /// Rows.
    pub rows: usize,
    /// Elements of a row.
    pub width: usize,
}

/// A weight matrix `[rows, k]` whose rows are spread over shards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightOperand {
    /// Element type.
    pub dtype: Dtype,
    /// N over all shards.
    pub rows: usize,
    /// K before padding.
    pub k: usize,
    /// The shards in order.
    pub shards: Vec<ShardOperand>,
}

impl WeightOperand {
    /// Some of the rows as a matrix of their own; shards without any of them are left out.
    pub fn part(&self, part: &Range<usize>) -> Self {
        let shards = self.shards.iter().filter_map(|shard| {
            let (first, end) = (shard.first_row.max(part.start), (shard.first_row + shard.rows).min(part.end));
            (first < end).then(|| ShardOperand {
                first_row: first - part.start,
                rows: end - first,
                skip: shard.skip + first - shard.first_row,
                ..shard.clone()
            })
        });
        Self { rows: part.len(), shards: shards.collect(), ..self.clone() }
    }
}

/// Consecutive rows of a weight matrix in a buffer of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardOperand {
    /// This shard's first row in the whole weight.
    pub first_row: usize,
    /// Rows of this shard.
    pub rows: usize,
    /// Rows of the buffer in front of them.
    pub skip: usize,
    /// Handle of the elements.
    pub data: u32,
    /// Handle of the f16 scales, for quantised dtypes.
    pub scales: Option<u32>,
}

/// Which rows of its input an operation works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowChoice {
    /// All valid rows.
    All,
    /// Only the last valid row of a pass of one sequence.
    Last,
    /// The last valid row of every sequence.
    LastOfEach {
        /// R, rows of each sequence of the pass.
        sequence_rows: usize,
    },
}

impl RowChoice {
    /// How many rows come out of `rows`.
    pub const fn count(self, rows: usize) -> usize {
        match self {
            Self::All => rows,
            Self::Last => 1,
            Self::LastOfEach { sequence_rows: 0 } => 0,
            Self::LastOfEach { sequence_rows } => rows / sequence_rows,
        }
    }

    /// The kernels' `x_row` parameter.
    pub(super) const fn x_row(self) -> u32 {
        match self {
            Self::All => 0,
            Self::Last | Self::LastOfEach { .. } => u32::MAX,
        }
    }

    /// The kernels' `sequence_rows` parameter.
    pub(super) const fn sequence_rows(self) -> u32 {
        match self {
            Self::All | Self::Last => sequence_rows(None),
            Self::LastOfEach { sequence_rows: rows } => sequence_rows(Some(rows)),
        }
    }
}

/// The kernels' `sequence_rows` parameter: a pass of one sequence has as many as there can be.
pub(super) const fn sequence_rows(rows: Option<usize>) -> u32 {
    match rows {
        Some(rows) => rows as u32,
        None => u32::MAX,
    }
}
