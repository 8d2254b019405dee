//! Floor 5: text to token ids and back, by a checkpoint's `tokenizer.json`.

mod components;
mod error;
mod stream;
mod tokenizer;

pub use error::TextFault;
pub use stream::StreamDecoder;
pub use tokenizer::{Mark, Marks, SpecialIds, Tokenizer};
