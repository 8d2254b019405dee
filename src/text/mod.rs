//! Floor 5: text to token ids and back, by a checkpoint's `tokenizer.json` or the compact form of it in a pack.

mod added;
#[cfg(feature = "any-tokenizer")]
mod any;
mod base64;
mod bpe;
mod charsmap;
mod clusters;
mod compact;
mod components;
mod error;
mod json;
mod json_model;
mod merges;
mod model;
mod normalized;
mod normalizer;
mod own;
mod pattern;
mod pieces;
mod rules;
mod stream;
mod tokenizer;
mod unigram;
mod words;

pub use compact::Digest;
pub use error::TextError;
pub use normalizer::Normalizer;
pub use pattern::Pattern;
pub use stream::StreamDecoder;
pub use tokenizer::{NewToken, Tokenizer, TokenizerKind, TokenizerSize};

/// The compact form's file in a pack.
pub const COMPACT: &str = "tokenizer.bin";
/// The file of a Hugging Face directory.
pub const JSON: &str = "tokenizer.json";
/// SentencePiece's file, of which a [`JSON`] can be made.
pub const SENTENCEPIECE: &str = "spiece.model";

/// Stands for a space in the vocabulary.
const SPACE: &str = "\u{2581}";
