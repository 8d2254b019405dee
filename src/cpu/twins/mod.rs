//! The plain twin of every kernel: one short scalar function each, summing in f64.

pub mod argmax;
pub mod attention;
pub mod attention_split;
pub mod convolution;
pub mod elementwise;
pub mod embed;
pub mod linear;
pub mod log_softmax;
pub mod norm;
pub mod patchify;
pub mod place_rows;
pub mod rope_append;
pub mod top_k;

/// The bit of a token id that says: not a token but a row of the picture's features.
const PICTURE: u32 = 1 << 31;
/// `x_row` that means the pass's last valid row.
const LAST_ROW: u32 = u32::MAX;

/// The first row that a kernel with an `x_row` parameter reads, and how many rows.
fn rows_from(call: &super::call::Call<'_>, tokens: u32, x_row: u32) -> (usize, usize) {
    if x_row == LAST_ROW {
        (call.step.tokens.saturating_sub(1) as usize, call.tokens(tokens))
    } else {
        (x_row as usize, call.tokens(tokens))
    }
}
