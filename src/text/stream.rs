#[cfg(feature = "any-tokenizer")]
use super::any::AnyStream;
use super::bpe::byte_of;
use super::own::Own;
use super::rules::Decoder;
use super::tokenizer::By;
use super::{SPACE, Tokenizer};

/// Turns ids into text as they come, whole characters only.
///
/// A character that is not in the vocabulary may come as one token per UTF-8 byte. Its bytes are held until the run of
/// byte tokens ends: only then is it known whether they are text, or damaged and each stands for U+FFFD.
#[derive(Debug)]
pub struct StreamDecoder<'a>(Of<'a>);

#[derive(Debug)]
enum Of<'a> {
    Own {
        tokenizer: &'a Own,
        bytes: Vec<u8>,
        started: bool,
    },
    #[cfg(feature = "any-tokenizer")]
    Any(AnyStream<'a>),
}

impl<'a> StreamDecoder<'a> {
    pub(super) fn new(tokenizer: &'a Tokenizer) -> Self {
        Self(match &tokenizer.by {
            By::Own(tokenizer) => Of::Own { tokenizer, bytes: Vec::new(), started: false },
            #[cfg(feature = "any-tokenizer")]
            By::Any(any) => Of::Any(any.stream()),
        })
    }

    /// Takes the next id; what is certain now.
    pub fn push(&mut self, id: u32) -> String {
        let (tokenizer, bytes, started) = match &mut self.0 {
            Of::Own { tokenizer, bytes, started } => (tokenizer, bytes, started),
            #[cfg(feature = "any-tokenizer")]
            Of::Any(stream) => return stream.push(id),
        };
        let Some(piece) = tokenizer.piece(id) else {
            return String::new();
        };
        match tokenizer.rules.decoder {
            Decoder::Metaspace { letter, bare } => {
                let space = if bare && !*started { "" } else { " " };
                *started = true;
                piece.replace(letter, space)
            }
            Decoder::Bytes => {
                if let Some(byte) = byte_of(piece) {
                    bytes.push(byte);
                    return String::new();
                }
                let mut text = text_of(std::mem::take(bytes));
                text.push_str(&piece.replace(SPACE, " "));
                text
            }
        }
    }

    /// What was held back.
    pub fn finish(&mut self) -> String {
        match &mut self.0 {
            Of::Own { bytes, .. } => text_of(std::mem::take(bytes)),
            #[cfg(feature = "any-tokenizer")]
            Of::Any(stream) => stream.finish(),
        }
    }
}

fn text_of(bytes: Vec<u8>) -> String {
    let count = bytes.len();
    String::from_utf8(bytes).unwrap_or_else(|_| "\u{fffd}".repeat(count))
}
