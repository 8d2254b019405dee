//! The parts of a Gemma `tokenizer.json` around its vocabulary. Anything else is refused, because skipping it would
//! give other ids.

use serde::Deserialize;

use super::SPACE;

#[derive(Deserialize)]
pub(super) struct Part {
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

/// Whether a normalizer writes [`SPACE`] for spaces, and does nothing else.
pub(super) fn check_normalizer(part: &Part) -> Result<(), String> {
    let parts = match part.kind.as_str() {
        "Sequence" => part.normalizers.as_deref().unwrap_or_default(),
        _ => std::slice::from_ref(part),
    };
    match parts {
        [one] if one.is_replacing(" ", SPACE) => Ok(()),
        other => Err(format!("its normalizer is {:?}, expected a Replace of the space by {SPACE:?}", kinds(other))),
    }
}

/// Whether a pre-tokenizer splits at spaces, of which the normalizer leaves none: it does nothing then.
pub(super) fn check_pre_tokenizer(part: &Part) -> Result<(), String> {
    if part.kind == "Split" && part.literal() == Some(" ") && part.behavior.is_some() {
        return Ok(());
    }
    Err(format!("its pre-tokenizer is {:?}, expected none or a Split at the space", part.kind))
}

/// Whether a decoder does what [`StreamDecoder`](super::StreamDecoder) does piece by piece: spaces for [`SPACE`], bytes
/// for `<0x..>`.
pub(super) fn check_decoder(part: &Part) -> Result<(), String> {
    match part.decoders.as_deref().unwrap_or_default() {
        [replace, bytes, fuse]
            if replace.is_replacing(SPACE, " ") && bytes.kind == "ByteFallback" && fuse.kind == "Fuse" =>
        {
            Ok(())
        }
        other => Err(format!("its decoder is {} {:?}, expected Replace, ByteFallback, Fuse", part.kind, kinds(other))),
    }
}

fn kinds(parts: &[Part]) -> Vec<&str> {
    parts.iter().map(|part| part.kind.as_str()).collect()
}
