//! Weights put together from the tensors of a checkpoint.

#[cfg(test)]
mod tests;

use std::ops::Range;

use super::SessionError;
use crate::base::{Error, Result};
use crate::format::{Checkpoint, FormatError, Place};
use crate::graph::{Source, WeightSpec};
use crate::models::Architecture;
use crate::quant::{QuantError, encode_rows, layout};
use crate::tensor::Dtype;

/// A source with the rows that it gives and their length. A vector is a row for each of its elements.
#[derive(Clone, Copy)]
struct Gather<'s> {
    source: &'s Source,
    rows: usize,
    k: usize,
}

impl<'s> Gather<'s> {
    fn of(spec: &'s WeightSpec, checkpoint: &Checkpoint<'_>) -> Self {
        let WeightSpec { source, rows, k, .. } = spec;
        let source = there(source, checkpoint);
        if is_vector(spec) {
            return Self { source, rows: *k, k: 1 };
        }
        Self { source, rows: *rows, k: *k }
    }
}

/// Of several sources, the one whose tensors a checkpoint has; the first where it has those of none.
fn there<'s>(source: &'s Source, checkpoint: &Checkpoint<'_>) -> &'s Source {
    let Source::Either(sources) = source else { return source };
    let there = |source: &&Source| source.tensors().iter().all(|tensor| checkpoint.shape(tensor).is_ok());
    sources.iter().find(there).unwrap_or(&sources[0])
}

/// Whether a weight is read element by element; the weights of a transposed convolution with one channel are not.
fn is_vector(spec: &WeightSpec) -> bool {
    let mut source = &spec.source;
    while let Source::Scaled { source: inner, .. } = source {
        source = inner;
    }
    spec.rows == 1 && !matches!(source, Source::Transposed(_))
}

/// Checks a checkpoint against the configuration, before anything is allocated.
///
/// # Errors
/// A tensor that is missing, has another shape than the configuration says, or is another model's.
pub fn check_tensors(architecture: &dyn Architecture, specs: &[WeightSpec], checkpoint: &Checkpoint<'_>) -> Result<()> {
    check_shapes(specs, checkpoint)?;
    match architecture.foreign_tensors().into_iter().find(|name| checkpoint.shape(name).is_ok()) {
        Some(tensor) => Err(SessionError::ForeignTensor(tensor).into()),
        None => Ok(()),
    }
}

/// Checks every tensor's shape against the configuration.
fn check_shapes(specs: &[WeightSpec], checkpoint: &Checkpoint<'_>) -> Result<()> {
    specs.iter().try_for_each(|spec| check(spec, Gather::of(spec, checkpoint), checkpoint))
}

/// Checks the shapes of a source's tensors.
fn check(spec: &WeightSpec, gather: Gather<'_>, checkpoint: &Checkpoint<'_>) -> Result<()> {
    let Gather { source, rows, k } = gather;
    let wrong = |name: &String, found: Vec<usize>, rows: usize, k: usize| {
        Error::from(SessionError::Shape { name: name.clone(), found, rows, k })
    };
    // How many rows of k columns a tensor has, if they are as many as they should.
    let rows_in = |name: &String, k: usize, fits: &dyn Fn(usize) -> bool| -> Result<usize> {
        let shape = checkpoint.shape(name)?;
        let found = rows_of(&shape, k).filter(|&found| fits(found));
        found.ok_or_else(|| wrong(name, shape, spec.rows, spec.k))
    };
    match source {
        Source::Concat(names) => {
            let mut before = 0;
            for (n, name) in names.iter().enumerate() {
                before += rows_in(name, k, &|found| n + 1 < names.len() || before + found == rows)?;
            }
        }
        Source::Interleave(even, odd) => {
            rows_in(even, k, &|found| 2 * found == rows)?;
            rows_in(odd, k, &|found| 2 * found == rows)?;
        }
        Source::Transposed(name) => {
            rows_in(name, rows, &|found| found == k)?;
        }
        Source::Part { tensor, first } => {
            rows_in(tensor, k, &|found| first.saturating_add(rows) <= found)?;
        }
        Source::ChannelsFirst { tensor, channels } => {
            rows_in(tensor, k, &|found| found == rows && k.is_multiple_of(*channels))?;
        }
        Source::Either(_) => check(spec, Gather { source: there(source, checkpoint), ..gather }, checkpoint)?,
        Source::Scaled { source, by } => {
            check(spec, Gather { source, ..gather }, checkpoint)?;
            let shape = checkpoint.shape(by)?;
            if rows_of(&shape, 1) != Some(rows) {
                return Err(wrong(by, shape, 1, rows));
            }
        }
    }
    Ok(())
}

/// Rows of a tensor whose last axes make `k` columns; `None` where none do.
fn rows_of(shape: &[usize], k: usize) -> Option<usize> {
    let columns = |split: &usize| shape[*split..].iter().product::<usize>() == k;
    let split = (0..=shape.len()).rev().find(columns)?;
    Some(shape[..split].iter().product())
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
    let gather = Gather::of(spec, checkpoint);
    collect(gather, if is_vector(spec) { 0..gather.rows } else { rows }, checkpoint, &mut values)?;
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
    let [in_row, in_column] = if is_vector(spec) { [*column, 0] } else { [first + *row, *column] };
    let (name, n) = source_of(Gather::of(spec, checkpoint), in_row, in_column, checkpoint)?;
    let Place { file, tensor, byte, row: in_row, column: in_column } = checkpoint.place(name, n)?;
    (*row, *column) = (in_row, in_column);
    Ok(SessionError::Value { file, tensor, byte, reason }.into())
}

/// The tensor that an element of a weight comes from, and which of its elements that is.
fn source_of<'s>(
    gather: Gather<'s>,
    row: usize,
    column: usize,
    checkpoint: &Checkpoint<'_>,
) -> Result<(&'s str, usize)> {
    let Gather { source, rows, k } = gather;
    match source {
        Source::Interleave(even, odd) => Ok((if row.is_multiple_of(2) { even } else { odd }, row / 2 * k + column)),
        Source::Transposed(name) => Ok((name, column * rows + row)),
        Source::Part { tensor, first } => Ok((tensor, (first + row) * k + column)),
        Source::ChannelsFirst { tensor, channels } => Ok((tensor, row * k + channels_last(column, k, *channels))),
        Source::Either(_) => source_of(Gather { source: there(source, checkpoint), ..gather }, row, column, checkpoint),
        Source::Scaled { source, by } => {
            let mut factor = Vec::new();
            read(checkpoint, by, 1, row..row + 1, &mut factor)?;
            match factor[..] {
                [factor] if !factor.is_finite() => Ok((by, row)),
                _ => source_of(Gather { source, ..gather }, row, column, checkpoint),
            }
        }
        Source::Concat(names) => {
            let mut n = row * k + column;
            for name in names {
                let elements = checkpoint.shape(name)?.iter().product();
                if n < elements {
                    return Ok((name, n));
                }
                n -= elements;
            }
            Err(SessionError::MissingState(names.concat()).into())
        }
    }
}

/// Where column `column` of `[channels, pixels]` is in `[pixels, channels]`, of `k` columns in all.
fn channels_last(column: usize, k: usize, channels: usize) -> usize {
    let pixels = (k / channels.max(1)).max(1);
    column % pixels * channels + column / pixels
}

/// Appends rows `range` of a weight, put together from its sources.
fn collect(gather: Gather<'_>, range: Range<usize>, checkpoint: &Checkpoint<'_>, out: &mut Vec<f32>) -> Result<()> {
    let Gather { source, rows, k } = gather;
    match source {
        Source::Concat(names) => {
            let mut first = 0;
            for name in names {
                let end = first + rows_of(&checkpoint.shape(name)?, k).unwrap_or(0);
                let (from, to) = (range.start.max(first), range.end.min(end));
                if from < to {
                    read(checkpoint, name, k, from - first..to - first, out)?;
                }
                first = end;
            }
        }
        Source::Transposed(name) => {
            let mut columns = Vec::new();
            read(checkpoint, name, rows, 0..k, &mut columns)?;
            for row in range {
                out.extend((0..k).map(|k| columns[k * rows + row]));
            }
        }
        Source::Interleave(even, odd) => {
            // Many rows at once: a tensor that does not lie by rows is slow to read one by one.
            let (mut evens, mut odds) = (Vec::new(), Vec::new());
            read(checkpoint, even, k, range.start.div_ceil(2)..range.end.div_ceil(2), &mut evens)?;
            read(checkpoint, odd, k, range.start / 2..range.end / 2, &mut odds)?;
            let (mut evens, mut odds) = (evens.chunks(k), odds.chunks(k));
            for row in range {
                out.extend_from_slice(if row % 2 == 0 { &mut evens } else { &mut odds }.next().unwrap_or_default());
            }
        }
        Source::Part { tensor, first } => read(checkpoint, tensor, k, first + range.start..first + range.end, out)?,
        Source::ChannelsFirst { tensor, channels } => {
            let mut values = Vec::new();
            read(checkpoint, tensor, k, range, &mut values)?;
            for row in values.chunks(k) {
                out.extend((0..k).map(|column| row[channels_last(column, k, *channels)]));
            }
        }
        Source::Either(_) => collect(Gather { source: there(source, checkpoint), ..gather }, range, checkpoint, out)?,
        Source::Scaled { source, by } => {
            let (at, mut factors) = (out.len(), Vec::new());
            collect(Gather { source, ..gather }, range.clone(), checkpoint, out)?;
            read(checkpoint, by, 1, range, &mut factors)?;
            for (row, factor) in out[at..].chunks_mut(k).zip(factors) {
                row.iter_mut().for_each(|x| *x *= factor);
            }
        }
    }
    Ok(())
}

/// Appends rows of a tensor whose last axes make `k` columns.
fn read(checkpoint: &Checkpoint<'_>, name: &str, k: usize, rows: Range<usize>, out: &mut Vec<f32>) -> Result<()> {
    let shape = checkpoint.shape(name)?;
    let first = shape.first().copied().unwrap_or(1);
    if rows_of(&shape, k) == Some(first) {
        return checkpoint.read_rows(name, rows, out);
    }
    let mut all = Vec::new();
    checkpoint.read_rows(name, 0..first, &mut all)?;
    match all.get(rows.start * k..rows.end * k) {
        Some(part) => out.extend_from_slice(part),
        None => {
            let Range { start: first, end } = rows;
            return Err(FormatError::Rows { name: name.into(), first, end, rows: all.len() / k.max(1) }.into());
        }
    }
    Ok(())
}
