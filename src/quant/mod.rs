//! Floor 1: how weight matrices are stored, encoded and decoded.
//!
//! A weight is a matrix `[N, K]`, row-major, `K` the summed axis. Every row is padded with zeros to
//! [`Layout::padded_k`] elements, and q8/q4 keep one f16 scale per block of [`BLOCK`] elements in a second array.
//!
//! Encoding is bit-exact and stable: the same weights give the same bytes on every machine, and encoding what was
//! decoded gives the same bytes again.

mod decode;
mod encode;
mod error;
mod layout;
mod q4;
mod q8;
mod source;
#[cfg(test)]
mod tests;

pub use decode::{decode_row, decode_rows};
pub use encode::{Encoded, encode_rows};
pub use error::QuantError;
pub use layout::{BLOCK, Layout, layout};
pub use source::SourceFormat;

/// Rounds to the nearest integer, ties to even, for magnitudes below `2^22`.
///
/// Adding `1.5 * 2^23` leaves no bits for a fraction; unlike a call of the C library this vectorises everywhere.
fn round_even(x: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0;
    (x + SHIFT) - SHIFT
}
