//! Floor 1: an index of vectors, which finds the ones most like another.

mod dot;
mod file;
mod index;

pub use file::IndexError;
pub use index::{Hit, IndexModel, Source, VectorIndex};
