//! The plain twin of every kernel: one short scalar function each, summing in f64.

pub mod argmax;
pub mod attention;
pub mod attention_split;
pub mod convolution;
pub mod elementwise;
pub mod embed;
pub mod gather_slots;
pub mod linear;
pub mod log_softmax;
pub mod norm;
pub mod patchify;
pub mod place_rows;
pub mod rope_append;
pub mod top_k;

use super::CpuError;
use super::call::{Call, size};
use crate::kernels::Sequence;

/// The bit of a token id that says: not a token but a row of the picture's features.
const PICTURE: u32 = 1 << 31;
/// `x_row` that means the last valid row of every sequence.
const LAST_ROWS: u32 = u32::MAX;

/// The rows of `x` that a kernel with an `x_row` parameter reads, one after the other. Rows that lie apart are collected
/// in `gathered`.
fn chosen_rows<'b, 'a: 'b>(
    call: &Call<'a>,
    capacity: u32,
    [x_row, sequence_rows]: [u32; 2],
    width: usize,
    gathered: &'b mut Vec<f32>,
) -> Result<(usize, &'b [f32]), CpuError> {
    let rows_from = |first: usize, rows: usize| {
        let x = call.read::<f32>(0, size(&[first.saturating_add(rows), width]))?;
        Ok(&x[first.saturating_mul(width)..])
    };
    let tokens = call.tokens(capacity);
    if x_row != LAST_ROWS {
        return Ok((tokens, rows_from(x_row as usize, tokens)?));
    }
    let sequences = &call.step.sequences()[..tokens.min(call.step.sequences().len())];
    let last = |(n, sequence): (usize, &Sequence)| {
        let first = size(&[n, sequence_rows as usize]);
        rows_from(first.saturating_add(sequence.tokens.saturating_sub(1) as usize), 1)
    };
    if let [only] = sequences {
        return Ok((1, last((0, only))?));
    }
    for (n, sequence) in sequences.iter().enumerate() {
        gathered.extend_from_slice(last((n, sequence))?);
    }
    Ok((sequences.len(), gathered))
}
