//! The plain twin of every kernel: one short scalar function each, summing in f64.
//!
//! The table of kernels calls them by their kernels' names, which the functions of a family's file get below.

pub mod activate;
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
pub mod resize_table;
pub mod rope_append;
pub mod sequence_rows;
pub mod top_k;

pub(super) use activate::run as activate;
pub(super) use argmax::{run_merge as argmax_merge, run_partial as argmax_partial};
pub(super) use attention::{run as attention, run as attention_serial};
pub(super) use attention_split::{
    run_merge as attention_merge, run_split as attention_split, run_split as attention_split_serial,
};
pub(super) use convolution::{run_fold as fold, run_unfold as unfold};
pub(super) use elementwise::run_add as add;
pub(super) use embed::run as embed;
pub(super) use gather_slots::run as gather_slots;
pub(super) use linear::{run as matmul_regs, run as matmul_tiled, run as matvec, run as matvec_serial};
pub(super) use log_softmax::run as log_softmax;
pub(super) use norm::{run_layer_norm as layer_norm, run_rms_norm as rms_norm};
pub(super) use patchify::run as patchify;
pub(super) use place_rows::run as place_rows;
pub(super) use resize_table::run as resize_table;
pub(super) use rope_append::run as rope_append;
pub(super) use sequence_rows::{run_mean_rows as mean_rows, run_prepend as prepend, run_select_rows as select_rows};
pub(super) use top_k::{run_first as top_k_first, run_merge as top_k_merge};

use super::CpuError;
use super::call::{Call, size};
use crate::kernels::Sequence;

/// The bit of a token id that says: not a token but a row of the picture's features.
const PICTURE: u32 = 1 << 31;
/// `x_row` that means the last valid row of every sequence.
const LAST_ROWS: u32 = u32::MAX;

/// The rows of `x` that a kernel with an `x_row` parameter reads, one after the other. Rows that lie apart are
/// collected in `gathered`.
fn chosen_rows<'b, 'a: 'b>(
    call: &Call<'a>,
    capacity: u32,
    [x_row, sequence_rows]: [u32; 2],
    width: usize,
    gathered: &'b mut Vec<f32>,
) -> Result<(usize, &'b [f32]), CpuError> {
    let rows_from = |first: usize, rows: usize| {
        let x = call.read::<f32>(0, size(&[first.saturating_add(rows), width]));
        x.map(|x| &x[first.saturating_mul(width)..])
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
