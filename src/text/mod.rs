//! Floor 5: text to token ids and back, by a checkpoint's `tokenizer.json` or the compact form of it in a pack.

mod added;
mod bpe;
mod compact;
mod components;
mod error;
mod json;
mod merges;
mod pieces;
mod stream;
mod tokenizer;

pub use compact::Digest;
pub use error::TextError;
pub use stream::StreamDecoder;
pub use tokenizer::{NewToken, Tokenizer, TokenizerSize};

/// The compact form's file in a pack.
pub const COMPACT: &str = "tokenizer.bin";
/// The file of a Hugging Face directory.
pub const JSON: &str = "tokenizer.json";

/// Stands for a space in the vocabulary.
const SPACE: &str = "\u{2581}";
