//! The parts of a `tokenizer.json` around its model, as [`Rules`]. A part that is not known is refused, because skipping
//! it would give other ids.

use serde::Deserialize;

use super::SPACE;
use super::base64::decode;
use super::charsmap::Charsmap;
use super::normalizer::Normalizer;
use super::pattern::Pattern;
use super::rules::{Decoder, Rules};
use super::words::{Prepend, Words};

/// A normalizer, pre-tokenizer or decoder.
#[derive(Deserialize)]
pub(super) struct Part {
    #[serde(rename = "type")]
    kind: String,
    pattern: Option<Found>,
    content: Option<String>,
    behavior: Option<String>,
    strip_left: Option<bool>,
    strip_right: Option<bool>,
    precompiled_charsmap: Option<String>,
    replacement: Option<char>,
    prepend_scheme: Option<String>,
    add_prefix_space: Option<bool>,
    split: Option<bool>,
    normalizers: Option<Vec<Part>>,
    pretokenizers: Option<Vec<Part>>,
    decoders: Option<Vec<Part>>,
}

#[derive(Deserialize)]
struct Found {
    #[serde(rename = "String")]
    text: Option<String>,
    #[serde(rename = "Regex")]
    regex: Option<String>,
}

/// Why parts cannot be used: whether they are damaged, or only of a kind that is not known here.
pub(super) enum Refused {
    Damaged(String),
    Unknown(String),
}

impl Refused {
    pub fn reason(self) -> String {
        match self {
            Self::Damaged(reason) | Self::Unknown(reason) => reason,
        }
    }
}

impl Part {
    /// The text that a pattern matches, if it is a plain text.
    fn literal(&self) -> Option<&str> {
        self.pattern.as_ref()?.text.as_deref()
    }

    fn is_replacing(&self, from: &str, to: &str) -> bool {
        self.kind == "Replace" && self.literal() == Some(from) && self.content.as_deref() == Some(to)
    }

    fn normalizer(&self) -> Result<Normalizer, Refused> {
        Ok(match (self.kind.as_str(), &self.pattern, &self.content) {
            ("Lowercase", ..) => Normalizer::Lowercase { words: false },
            ("Strip", ..) => Normalizer::Strip {
                left: self.strip_left.unwrap_or_default(),
                right: self.strip_right.unwrap_or_default(),
            },
            ("Precompiled", ..) => {
                let map = self.precompiled_charsmap.as_deref().and_then(decode);
                let map = map.ok_or_else(|| Refused::Damaged("its charsmap is not in base64".into()))?;
                Normalizer::Precompiled(Charsmap::read(&map).map_err(|reason| Refused::Damaged(reason.into()))?)
            }
            ("Replace", Some(Found { text: Some(text), .. }), Some(to)) if !text.is_empty() => {
                Normalizer::Replace { pattern: Pattern::Text(text.clone()), to: to.clone() }
            }
            ("Replace", Some(Found { regex: Some(regex), .. }), Some(to)) => {
                let pattern = Pattern::of_regex(regex).ok_or_else(|| {
                    Refused::Unknown(format!("its normalizer Replace looks for the regular expression {regex:?}"))
                })?;
                Normalizer::Replace { pattern, to: to.clone() }
            }
            (kind, ..) => {
                let known = "Precompiled, Replace, Lowercase, Strip";
                return Err(Refused::Unknown(format!("its normalizer has {kind:?}, expected {known}")));
            }
        })
    }

    /// None for one that does nothing, because no space is left to split at.
    fn words(&self, spaces: bool) -> Result<Option<Words>, Refused> {
        Ok(match self.kind.as_str() {
            "WhitespaceSplit" => Some(Words::WhiteSpace),
            "Metaspace" => {
                let (letter, prepend) = self.metaspace()?;
                Some(Words::Metaspace { letter, prepend, split: self.split.unwrap_or(true) })
            }
            "Split" if self.literal() == Some(" ") && self.behavior.is_some() && !spaces => None,
            kind => {
                let known = "WhitespaceSplit, Metaspace, or a Split at spaces where a normalizer leaves none";
                return Err(Refused::Unknown(format!("its pre-tokenizer has {kind:?}, expected {known}")));
            }
        })
    }

    /// What it writes for spaces, and where it puts it in front.
    fn metaspace(&self) -> Result<(char, Prepend), Refused> {
        let prepend = match (self.prepend_scheme.as_deref(), self.add_prefix_space) {
            (Some("never"), _) => Prepend::Never,
            (None | Some("always"), None | Some(true)) => Prepend::Always,
            (Some("first"), None | Some(true)) => Prepend::First,
            (scheme, add) => {
                let reason = format!("its Metaspace has the prepend_scheme {scheme:?} and add_prefix_space {add:?}");
                return Err(Refused::Unknown(reason));
            }
        };
        let letter = self.replacement.ok_or_else(|| Refused::Unknown("its Metaspace has no replacement".into()))?;
        Ok((letter, prepend))
    }

    /// Appends its parts, where it is a sequence; itself otherwise.
    fn flatten<'a>(&'a self, parts: fn(&Self) -> &Option<Vec<Self>>, all: &mut Vec<&'a Self>) {
        match parts(self) {
            Some(others) if self.kind == "Sequence" => others.iter().for_each(|part| part.flatten(parts, all)),
            _ => all.push(self),
        }
    }
}

/// All parts of one that may be a sequence.
fn parts_of(part: Option<&Part>, parts: fn(&Part) -> &Option<Vec<Part>>) -> Vec<&Part> {
    let mut all = Vec::new();
    if let Some(part) = part {
        part.flatten(parts, &mut all);
    }
    all
}

/// What the three parts do.
///
/// # Errors
/// Parts that are not known or damaged.
pub(super) fn rules(
    normalizer: Option<&Part>,
    pre_tokenizer: Option<&Part>,
    decoder: Option<&Part>,
) -> Result<Rules, Refused> {
    let parts = parts_of(normalizer, |part| &part.normalizers);
    let normalizers = parts.into_iter().map(Part::normalizer).collect::<Result<Vec<_>, _>>()?;
    let spaces = !normalizers.last().is_some_and(|last| {
        matches!(last, Normalizer::Replace { pattern: Pattern::Text(text), to } if text == " " && !to.contains(' '))
    });
    let parts = parts_of(pre_tokenizer, |part| &part.pretokenizers);
    let words = parts.into_iter().map(|part| part.words(spaces));
    let words = words.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
    let rules = Rules { normalizers, words, decoder: self::decoder(decoder)? };
    rules.check().map_err(|reason| Refused::Damaged(reason.into()))?;
    Ok(rules)
}

/// Those that [`StreamDecoder`](super::StreamDecoder) is able to do piece by piece.
fn decoder(part: Option<&Part>) -> Result<Decoder, Refused> {
    let parts = parts_of(part, |part| &part.decoders);
    match parts.as_slice() {
        [replace, bytes, fuse]
            if replace.is_replacing(SPACE, " ") && bytes.kind == "ByteFallback" && fuse.kind == "Fuse" =>
        {
            Ok(Decoder::Bytes)
        }
        [part] if part.kind == "Metaspace" => {
            let (letter, prepend) = part.metaspace()?;
            Ok(Decoder::Metaspace { letter, bare: prepend != Prepend::Never })
        }
        other => {
            let kinds: Vec<&str> = other.iter().map(|part| part.kind.as_str()).collect();
            let expected = "Metaspace, or Replace, ByteFallback, Fuse";
            Err(Refused::Unknown(format!("its decoder is {kinds:?}, expected {expected}")))
        }
    }
}
