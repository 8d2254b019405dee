//! `tokenizer.json` as Hugging Face's library writes it, for tokenizers of Gemma's build.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::added::{AddedToken, AddedTokens};
use super::bpe::{Bpe, Unknown};
use super::components::{Part, check_decoder, check_normalizer, check_pre_tokenizer};
use super::merges::Merges;
use super::pieces::Pieces;
use super::{JSON, TextError};

/// The file. What it says of padding, truncation and a post-processor is what calls of that library do; a
/// prompt is put together by the model that it is for.
#[derive(Deserialize)]
struct File<'a> {
    version: Option<String>,
    #[serde(default)]
    added_tokens: Vec<Added>,
    normalizer: Option<Part>,
    pre_tokenizer: Option<Part>,
    decoder: Option<Part>,
    #[serde(borrow)]
    model: Model<'a>,
}

#[derive(Deserialize)]
struct Added {
    content: String,
    single_word: bool,
    lstrip: bool,
    rstrip: bool,
    normalized: bool,
    special: bool,
}

#[derive(Deserialize)]
struct Model<'a> {
    #[serde(rename = "type")]
    kind: Option<String>,
    dropout: Option<f32>,
    unk_token: Option<String>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    #[serde(default)]
    fuse_unk: bool,
    #[serde(default)]
    byte_fallback: bool,
    #[serde(default)]
    ignore_merges: bool,
    #[serde(borrow)]
    vocab: HashMap<Text<'a>, u32>,
    #[serde(borrow)]
    merges: Vec<Pair<'a>>,
}

/// A text of the file, where it stands.
#[derive(Deserialize, PartialEq, Eq, Hash)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A merge: `["a", "b"]`, and `"a b"` in older files.
enum Pair<'a> {
    Parts(Text<'a>, Text<'a>),
    Line(Cow<'a, str>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Pair<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOfBoth;
        impl<'de> Visitor<'de> for OneOfBoth {
            type Value = Pair<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a merge of two pieces")
            }

            fn visit_borrowed_str<E: Error>(self, line: &'de str) -> Result<Pair<'de>, E> {
                Ok(Pair::Line(Cow::Borrowed(line)))
            }

            fn visit_str<E: Error>(self, line: &str) -> Result<Pair<'de>, E> {
                Ok(Pair::Line(Cow::Owned(line.into())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Pair<'de>, A::Error> {
                let mut part = |n| parts.next_element()?.ok_or_else(|| Error::invalid_length(n, &self));
                Ok(Pair::Parts(part(0)?, part(1)?))
            }
        }
        deserializer.deserialize_any(OneOfBoth)
    }
}

impl Pair<'_> {
    /// The pieces left and right.
    fn parts(&self) -> Option<(&str, &str)> {
        match self {
            Self::Parts(left, right) => Some((&left.0, &right.0)),
            Self::Line(line) => line.split_once(' ').filter(|(_, right)| !right.contains(' ')),
        }
    }
}

/// Reads a `tokenizer.json`.
///
/// # Errors
/// Not JSON, or parts that Gemma's does not have.
pub(super) fn read(json: &[u8]) -> Result<(Bpe, AddedTokens), TextError> {
    let file: File<'_> = serde_json::from_slice(json).map_err(|error| unusable(error.to_string()))?;
    check(&file).map_err(unusable)?;
    let Model { vocab, merges, unk_token, fuse_unk, byte_fallback, .. } = file.model;
    let find = |piece: &str| vocab.get(&Text(Cow::Borrowed(piece))).copied();
    let missing = |piece: &str| unusable(format!("{piece:?} is not in its vocabulary"));
    let pieces = pieces(&vocab)?;
    let mut list = Vec::with_capacity(merges.len());
    let mut whole = String::new();
    for merge in &merges {
        // Older files may begin with a comment.
        if matches!(merge, Pair::Line(line) if line.starts_with("#version")) {
            continue;
        }
        let (left, right) = merge.parts().ok_or_else(|| unusable("one of its merges is not of two pieces".into()))?;
        whole.clear();
        whole.extend([left, right]);
        let id = |piece| find(piece).ok_or_else(|| missing(piece));
        list.push([id(left)?, id(right)?, id(&whole)?]);
    }
    let merges = Merges::in_order(&list, pieces.len());
    let id = unk_token.map(|token| find(&token).ok_or_else(|| missing(&token))).transpose()?;
    let unknown = Unknown { bytes: byte_fallback, id, fuse: fuse_unk };
    let mut next = pieces.len();
    let mut tokens = Vec::with_capacity(file.added_tokens.len());
    for token in file.added_tokens {
        // A piece of the vocabulary keeps its id; others get the next ones, whatever the file says.
        let id = find(&token.content).unwrap_or(next);
        next += u32::from(id == next);
        let Added { content, lstrip, rstrip, normalized, special, .. } = token;
        tokens.push(AddedToken { content, id, special, normalized, lstrip, rstrip });
    }
    let added = AddedTokens::new(tokens).ok_or_else(|| unusable("one of its added tokens is empty or twice".into()))?;
    Ok((Bpe::new(pieces, merges, unknown), added))
}

/// Whether all parts are those of a Gemma tokenizer.
fn check(file: &File<'_>) -> Result<(), String> {
    let set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let model = &file.model;
    if let Some(version) = file.version.as_deref().filter(|&version| version != "1.0") {
        return Err(format!("its version is {version:?}, expected \"1.0\""));
    }
    let (Some(normalizer), Some(decoder)) = (&file.normalizer, &file.decoder) else {
        return Err("it has no normalizer or no decoder".into());
    };
    check_normalizer(normalizer)?;
    check_decoder(decoder)?;
    file.pre_tokenizer.as_ref().map_or(Ok(()), check_pre_tokenizer)?;
    if let Some(kind) = model.kind.as_deref().filter(|&kind| kind != "BPE") {
        return Err(format!("its model is {kind:?}, expected BPE"));
    }
    if model.dropout.is_some_and(|dropout| dropout > 0.0) {
        return Err("it drops merges at random (`dropout`)".into());
    }
    if set(&model.continuing_subword_prefix) || set(&model.end_of_word_suffix) {
        return Err("it marks the starts or ends of words".into());
    }
    if model.ignore_merges {
        return Err("it takes whole words from its vocabulary (`ignore_merges`)".into());
    }
    match file.added_tokens.iter().find(|token| token.single_word) {
        Some(token) => Err(format!("its added token {:?} is only a word of its own (`single_word`)", token.content)),
        None => Ok(()),
    }
}

/// The vocabulary by id: 0 to V - 1, each once.
fn pieces(vocab: &HashMap<Text<'_>, u32>) -> Result<Pieces, TextError> {
    let mut by_id: Vec<Option<&str>> = vec![None; vocab.len()];
    for (piece, &id) in vocab {
        let place = by_id.get_mut(id as usize).filter(|place| place.is_none());
        let gap = || unusable(format!("its {} pieces have not the ids from 0: {:?} has {id}", vocab.len(), piece.0));
        *place.ok_or_else(gap)? = Some(&piece.0);
    }
    let mut text = String::new();
    let mut ends = Vec::with_capacity(by_id.len());
    for piece in by_id.into_iter().flatten() {
        text.push_str(piece);
        ends.push(text.len() as u32);
    }
    Pieces::new(text, ends).ok_or_else(|| unusable("its vocabulary is larger than 4 GB".into()))
}

fn unusable(reason: String) -> TextError {
    TextError::Unusable { file: JSON, reason }
}
