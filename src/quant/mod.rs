//! Floor 1: how weight matrices are stored, encoded and decoded.
//!
//! A weight is a matrix `[N, K]`, row-major, `K` the summed axis. Every row is padded with zeros to
//! [`Layout::padded_k`] elements, and q8/q4 keep one f16 scale per block of [`BLOCK`] elements in a second array.

mod layout;

pub use layout::{BLOCK, Layout, layout};
