//! The parts that a Gemma `tokenizer.json` is made of. Anything else is refused, because skipping it would give other
//! ids; the library's own wrappers know all parts there are and would be half of the browser's download.

use serde::Deserialize;
use serde::de::IgnoredAny;
use tokenizers::{Decoder, Encoding, NormalizedString, Normalizer, PostProcessor, PreTokenizedString, PreTokenizer};

/// Stands for a space in the vocabulary.
pub const SPACE: &str = "\u{2581}";

#[derive(Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    pattern: Option<Literal>,
    content: Option<String>,
    behavior: Option<String>,
    normalizers: Option<Vec<Part>>,
    decoders: Option<Vec<Part>>,
}

#[derive(Deserialize)]
struct Literal {
    #[serde(rename = "String")]
    text: Option<String>,
}

impl Part {
    /// The text that a pattern matches, if it is a plain text.
    fn literal(&self) -> Option<&str> {
        self.pattern.as_ref()?.text.as_deref()
    }

    fn is_replacing(&self, from: &str, to: &str) -> bool {
        self.kind == "Replace" && self.literal() == Some(from) && self.content.as_deref() == Some(to)
    }
}

/// Writes [`SPACE`] for spaces.
#[derive(Deserialize)]
#[serde(try_from = "Part")]
pub struct Spaces;

impl TryFrom<Part> for Spaces {
    type Error = String;

    fn try_from(part: Part) -> Result<Self, String> {
        let parts = match part.kind.as_str() {
            "Sequence" => part.normalizers.unwrap_or_default(),
            _ => vec![part],
        };
        match parts.as_slice() {
            [one] if one.is_replacing(" ", SPACE) => Ok(Self),
            other => {
                let kinds: Vec<&str> = other.iter().map(|part| part.kind.as_str()).collect();
                Err(format!("its normalizer is {kinds:?}, expected a Replace of the space by {SPACE:?}"))
            }
        }
    }
}

impl Normalizer for Spaces {
    fn normalize(&self, text: &mut NormalizedString) -> tokenizers::Result<()> {
        text.replace(' ', SPACE)
    }
}

/// Splits at spaces, of which the normalizer leaves none: it does nothing.
#[derive(Deserialize)]
#[serde(try_from = "Part")]
pub struct NoSplit;

impl TryFrom<Part> for NoSplit {
    type Error = String;

    fn try_from(part: Part) -> Result<Self, String> {
        if part.kind == "Split" && part.literal() == Some(" ") && part.behavior.is_some() {
            return Ok(Self);
        }
        Err(format!("its pre-tokenizer is {:?}, expected none or a Split at the space", part.kind))
    }
}

impl PreTokenizer for NoSplit {
    fn pre_tokenize(&self, _: &mut PreTokenizedString) -> tokenizers::Result<()> {
        Ok(())
    }
}

/// Adds `<bos>`, which prompts do by themselves: whatever it is, it is never asked.
#[derive(Deserialize)]
#[serde(from = "IgnoredAny")]
pub struct NoSpecials;

impl From<IgnoredAny> for NoSpecials {
    fn from(_: IgnoredAny) -> Self {
        Self
    }
}

impl PostProcessor for NoSpecials {
    fn added_tokens(&self, _: bool) -> usize {
        0
    }

    fn process_encodings(&self, encodings: Vec<Encoding>, _: bool) -> tokenizers::Result<Vec<Encoding>> {
        Ok(encodings)
    }
}

/// Spaces for [`SPACE`], bytes for `<0x..>`: what [`StreamDecoder`](super::StreamDecoder) does piece by piece.
#[derive(Deserialize)]
#[serde(try_from = "Part")]
pub struct Pieces;

impl TryFrom<Part> for Pieces {
    type Error = String;

    fn try_from(part: Part) -> Result<Self, String> {
        let parts = part.decoders.unwrap_or_default();
        match parts.as_slice() {
            [replace, bytes, fuse]
                if replace.is_replacing(SPACE, " ") && bytes.kind == "ByteFallback" && fuse.kind == "Fuse" =>
            {
                Ok(Self)
            }
            other => {
                let kinds: Vec<&str> = other.iter().map(|part| part.kind.as_str()).collect();
                Err(format!("its decoder is {} {kinds:?}, expected Replace, ByteFallback, Fuse", part.kind))
            }
        }
    }
}

impl Decoder for Pieces {
    fn decode_chain(&self, pieces: Vec<String>) -> tokenizers::Result<Vec<String>> {
        Ok(pieces)
    }
}
