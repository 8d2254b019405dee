//! Weights put together from the tensors of a checkpoint.

use std::ops::Range;

use super::SessionError;
use crate::base::{Error, Result};
use crate::format::{Checkpoint, Place};
use crate::graph::{Source, WeightSpec};
use crate::quant::{QuantError, encode_rows, layout};
use crate::tensor::Dtype;

/// Checks every tensor's shape against the configuration, before anything is allocated.
pub fn check_shapes(specs: &[WeightSpec], checkpoint: &Checkpoint<'_>) -> Result<()> {
    for spec in specs {
        let (parts, paired): (Vec<&String>, bool) = match &spec.source {
            Source::Concat(names) => (names.iter().collect(), false),
            Source::Interleave(even, odd) => (vec![even, odd], true),
            Source::Transposed(name) => (vec![name], false),
        };
        let (expected, k) = match &spec.source {
            Source::Transposed(_) => (spec.k, spec.rows),
            // A vector is one row, however many axes its tensor has.
            _ if spec.rows == 1 => (spec.k, 1),
            _ => (spec.rows, spec.k),
        };
        let mut rows = 0;
        for (n, name) in parts.iter().enumerate() {
            let shape = checkpoint.shape(name)?;
            let found = rows_of(spec, &shape);
            rows += found.0;
            let complete = n + 1 < parts.len() || rows == expected;
            let even = !paired || found.0 == expected / 2;
            if found.1 != k || !complete || !even {
                let fault = SessionError::Shape { name: (*name).clone(), found: shape, rows: spec.rows, k: spec.k };
                return Err(fault.into());
            }
        }
    }
    Ok(())
}

/// Rows and row length of a source tensor; a vector counts its elements as rows.
fn rows_of(spec: &WeightSpec, shape: &[usize]) -> (usize, usize) {
    match shape {
        _ if spec.rows == 1 => (shape.iter().product(), 1),
        [] => (1, 1),
        [n, rest @ ..] => (*n, rest.iter().product()),
    }
}

/// Rows of a weight as a device holds them: elements, and scales where the dtype has some.
///
/// # Errors
/// A tensor that is missing, elements that are no floats, a value that the dtype cannot hold, named by its place.
pub fn encode(
    spec: &WeightSpec,
    rows: Range<usize>,
    dtype: Dtype,
    checkpoint: &Checkpoint<'_>,
) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut values = Vec::new();
    let (first, count) = (rows.start, rows.len());
    gather(spec, rows, checkpoint, &mut values)?;
    let mut encoded = match encode_rows(dtype, &values, spec.k) {
        Ok(encoded) => encoded,
        Err(reason) => return Err(locate_error(spec, first, reason, checkpoint)?),
    };
    encoded.scales.truncate(layout(dtype, spec.k).row_scales * count * 2);
    Ok((encoded.data, encoded.scales))
}

/// A value that cannot be encoded, by its place in the files; `first` is the first row of those that were tried.
fn locate_error(spec: &WeightSpec, first: usize, mut reason: QuantError, checkpoint: &Checkpoint<'_>) -> Result<Error> {
    let Some([row, column]) = reason.place() else { return Ok(reason.into()) };
    let (name, n) = source_of(spec, first + *row, *column, checkpoint)?;
    let Place { file, tensor, byte, row: in_row, column: in_column } = checkpoint.place(name, n)?;
    (*row, *column) = (in_row, in_column);
    Ok(SessionError::Value { file, tensor, byte, reason }.into())
}

/// The tensor that an element of a weight comes from, and which of its elements that is.
fn source_of<'s>(
    spec: &'s WeightSpec,
    row: usize,
    column: usize,
    checkpoint: &Checkpoint<'_>,
) -> Result<(&'s str, usize)> {
    match &spec.source {
        Source::Interleave(even, odd) => {
            Ok((if row.is_multiple_of(2) { even } else { odd }, row / 2 * spec.k + column))
        }
        Source::Transposed(name) => Ok((name, column * spec.rows + row)),
        Source::Concat(names) => {
            let mut n = row * spec.k + column;
            for name in names {
                let elements = checkpoint.shape(name)?.iter().product();
                if n < elements {
                    return Ok((name, n));
                }
                n -= elements;
            }
            Err(SessionError::MissingState(spec.name.clone()).into())
        }
    }
}

/// Appends rows `range` of a weight, put together from its sources.
fn gather(spec: &WeightSpec, range: Range<usize>, checkpoint: &Checkpoint<'_>, out: &mut Vec<f32>) -> Result<()> {
    match &spec.source {
        Source::Concat(names) if spec.rows == 1 => {
            for name in names {
                let rows = checkpoint.shape(name)?.first().copied().unwrap_or(1);
                checkpoint.read_rows(name, 0..rows, out)?;
            }
        }
        Source::Concat(names) => {
            let mut first = 0;
            for name in names {
                let end = first + checkpoint.shape(name)?.first().copied().unwrap_or(1);
                let (from, to) = (range.start.max(first), range.end.min(end));
                if from < to {
                    checkpoint.read_rows(name, from - first..to - first, out)?;
                }
                first = end;
            }
        }
        Source::Transposed(name) => {
            let mut columns = Vec::new();
            checkpoint.read_rows(name, 0..spec.k, &mut columns)?;
            for row in range {
                out.extend((0..spec.k).map(|k| columns[k * spec.rows + row]));
            }
        }
        Source::Interleave(even, odd) => {
            // Many rows at once: a tensor that does not lie by rows is slow to read one by one.
            let (mut rows, mut others) = (Vec::new(), Vec::new());
            checkpoint.read_rows(even, range.start.div_ceil(2)..range.end.div_ceil(2), &mut rows)?;
            checkpoint.read_rows(odd, range.start / 2..range.end / 2, &mut others)?;
            let (mut rows, mut others) = (rows.chunks(spec.k), others.chunks(spec.k));
            for row in range {
                out.extend_from_slice(if row % 2 == 0 { &mut rows } else { &mut others }.next().unwrap_or_default());
            }
        }
    }
    Ok(())
}
