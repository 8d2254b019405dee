//! The parts of a `tokenizer.json` around its model, as [`Rules`]. A part that is not known is refused, because skipping
//! it would give other ids.

use serde_json::Value;

use super::SPACE;
use super::base64::decode;
use super::charsmap::Charsmap;
use super::normalizer::Normalizer;
use super::pattern::Pattern;
use super::rules::{Decoder, Rules};
use super::words::{Prepend, Words};

/// A normalizer, pre-tokenizer or decoder: a JSON object with its type.
#[derive(Clone, Copy)]
struct Part<'a>(&'a Value);

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

impl<'a> Part<'a> {
    fn text(self, name: &str) -> Option<&'a str> {
        self.0.get(name)?.as_str()
    }

    fn flag(self, name: &str) -> Option<bool> {
        self.0.get(name)?.as_bool()
    }

    fn kind(self) -> &'a str {
        self.text("type").unwrap_or_default()
    }

    /// The text that a pattern matches, if it is a plain text.
    fn literal(self) -> Option<&'a str> {
        Part(self.0.get("pattern")?).text("String")
    }

    fn is_replacing(self, from: &str, to: &str) -> bool {
        self.kind() == "Replace" && self.literal() == Some(from) && self.text("content") == Some(to)
    }

    fn normalizer(self) -> Result<Normalizer, Refused> {
        Ok(match self.kind() {
            "Lowercase" => Normalizer::Lowercase { words: false },
            "Strip" => {
                let side = |name| self.flag(name).unwrap_or_default();
                Normalizer::Strip { left: side("strip_left"), right: side("strip_right") }
            }
            "Precompiled" => {
                let map = self.text("precompiled_charsmap").and_then(decode);
                let map = map.ok_or_else(|| Refused::Damaged("its charsmap is not in base64".into()))?;
                Normalizer::Precompiled(Charsmap::read(&map).map_err(|reason| Refused::Damaged(reason.into()))?)
            }
            "Replace" => {
                let pattern =
                    match (self.literal(), self.0.get("pattern").and_then(|pattern| Part(pattern).text("Regex"))) {
                        (Some(text), _) if !text.is_empty() => Some(Pattern::Text(text.into())),
                        (_, Some(regex)) => Pattern::of_regex(regex),
                        _ => None,
                    };
                let (Some(pattern), Some(to)) = (pattern, self.text("content")) else {
                    let found = self.0.get("pattern").unwrap_or(&Value::Null);
                    return Err(Refused::Unknown(format!("its normalizer Replace looks for {found}")));
                };
                Normalizer::Replace { pattern, to: to.into() }
            }
            kind => {
                let known = "Precompiled, Replace, Lowercase, Strip";
                return Err(Refused::Unknown(format!("its normalizer has {kind:?}, expected {known}")));
            }
        })
    }

    /// None for one that does nothing, because no space is left to split at.
    fn words(self, spaces: bool) -> Result<Option<Words>, Refused> {
        Ok(match self.kind() {
            "WhitespaceSplit" => Some(Words::WhiteSpace),
            "Metaspace" => {
                let (letter, prepend) = self.metaspace()?;
                Some(Words::Metaspace { letter, prepend, split: self.flag("split").unwrap_or(true) })
            }
            "Split" if self.literal() == Some(" ") && self.text("behavior").is_some() && !spaces => None,
            kind => {
                let known = "WhitespaceSplit, Metaspace, or a Split at spaces where a normalizer leaves none";
                return Err(Refused::Unknown(format!("its pre-tokenizer has {kind:?}, expected {known}")));
            }
        })
    }

    /// What it writes for spaces, and where it puts it in front.
    fn metaspace(self) -> Result<(char, Prepend), Refused> {
        let prepend = match (self.text("prepend_scheme"), self.flag("add_prefix_space")) {
            (Some("never"), _) => Prepend::Never,
            (None | Some("always"), None | Some(true)) => Prepend::Always,
            (Some("first"), None | Some(true)) => Prepend::First,
            (scheme, add) => {
                let reason = format!("its Metaspace has the prepend_scheme {scheme:?} and add_prefix_space {add:?}");
                return Err(Refused::Unknown(reason));
            }
        };
        let mut letters = self.text("replacement").unwrap_or_default().chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) => Ok((letter, prepend)),
            _ => Err(Refused::Unknown("its Metaspace has no replacement".into())),
        }
    }

    /// Appends its parts, where it is a sequence; itself otherwise.
    fn flatten(self, parts: &str, all: &mut Vec<Self>) {
        match self.0.get(parts).and_then(Value::as_array) {
            Some(others) if self.kind() == "Sequence" => others.iter().for_each(|part| Part(part).flatten(parts, all)),
            _ => all.push(self),
        }
    }
}

/// All parts of one that may be a sequence, or `null`.
fn parts_of<'a>(part: &'a Value, parts: &str) -> Vec<Part<'a>> {
    let mut all = Vec::new();
    if !part.is_null() {
        Part(part).flatten(parts, &mut all);
    }
    all
}

/// What the three parts do.
///
/// # Errors
/// Parts that are not known or damaged.
pub(super) fn rules(normalizer: &Value, pre_tokenizer: &Value, decoder: &Value) -> Result<Rules, Refused> {
    let parts = parts_of(normalizer, "normalizers");
    let normalizers = parts.into_iter().map(Part::normalizer).collect::<Result<Vec<_>, _>>()?;
    let spaces = !normalizers.last().is_some_and(|last| {
        matches!(last, Normalizer::Replace { pattern: Pattern::Text(text), to } if text == " " && !to.contains(' '))
    });
    let parts = parts_of(pre_tokenizer, "pretokenizers");
    let words = parts.into_iter().map(|part| part.words(spaces));
    let words = words.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
    let rules = Rules { normalizers, words, decoder: self::decoder(decoder)? };
    rules.check().map_err(|reason| Refused::Damaged(reason.into()))?;
    Ok(rules)
}

/// Those that [`StreamDecoder`](super::StreamDecoder) is able to do piece by piece.
fn decoder(part: &Value) -> Result<Decoder, Refused> {
    let parts = parts_of(part, "decoders");
    match parts.as_slice() {
        [replace, bytes, fuse]
            if replace.is_replacing(SPACE, " ") && bytes.kind() == "ByteFallback" && fuse.kind() == "Fuse" =>
        {
            Ok(Decoder::Bytes)
        }
        [part] if part.kind() == "Metaspace" => {
            let (letter, prepend) = part.metaspace()?;
            Ok(Decoder::Metaspace { letter, bare: prepend != Prepend::Never })
        }
        other => {
            let kinds: Vec<&str> = other.iter().map(|part| part.kind()).collect();
            let expected = "Metaspace, or Replace, ByteFallback, Fuse";
            Err(Refused::Unknown(format!("its decoder is {kinds:?}, expected {expected}")))
        }
    }
}
