use super::bpe::byte_of;
use super::{SPACE, Tokenizer};

/// Turns ids into text as they come, whole characters only.
///
/// A character that is not in the vocabulary comes as one token per UTF-8 byte. Its bytes are held until the run of
/// byte tokens ends: only then is it known whether they are text, or damaged and each stands for U+FFFD.
#[derive(Debug)]
pub struct StreamDecoder<'a> {
    tokenizer: &'a Tokenizer,
    bytes: Vec<u8>,
}

impl<'a> StreamDecoder<'a> {
    pub(super) fn new(tokenizer: &'a Tokenizer) -> Self {
        Self { tokenizer, bytes: Vec::new() }
    }

    /// Takes the next id; what is certain now.
    pub fn push(&mut self, id: u32) -> String {
        let Some(piece) = self.tokenizer.piece(id) else {
            return String::new();
        };
        if let Some(byte) = byte_of(piece) {
            self.bytes.push(byte);
            return String::new();
        }
        let mut text = self.finish();
        text.push_str(&piece.replace(SPACE, " "));
        text
    }

    /// What was held back.
    pub fn finish(&mut self) -> String {
        let bytes = std::mem::take(&mut self.bytes);
        let count = bytes.len();
        String::from_utf8(bytes).unwrap_or_else(|_| "\u{fffd}".repeat(count))
    }
}
