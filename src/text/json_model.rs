//! The model of a `tokenizer.json`: its vocabulary and what belongs to it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::bpe::{Bpe, Unknown};
use super::components::Refused;
use super::merges::Merges;
use super::model::Model;
use super::pieces::Pieces;
use super::unigram::Unigram;

#[derive(Deserialize)]
pub(super) struct ModelPart<'a> {
    #[serde(rename = "type")]
    kind: Option<String>,
    dropout: Option<f32>,
    unk_token: Option<String>,
    unk_id: Option<u32>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    #[serde(default)]
    fuse_unk: bool,
    #[serde(default)]
    byte_fallback: bool,
    #[serde(default)]
    ignore_merges: bool,
    #[serde(borrow)]
    vocab: Vocabulary<'a>,
    #[serde(borrow)]
    merges: Option<Vec<Pair<'a>>>,
}

/// A text of the file, where it stands.
#[derive(Deserialize, PartialEq, Eq, Hash)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Pieces with their ids, as BPE has them, or in order with their scores, as Unigram has them.
enum Vocabulary<'a> {
    Ids(HashMap<Text<'a>, u32>),
    Scores(Vec<(Text<'a>, f64)>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Vocabulary<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOfBoth;
        impl<'de> Visitor<'de> for OneOfBoth {
            type Value = Vocabulary<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a vocabulary with ids or scores")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut pieces: A) -> Result<Vocabulary<'de>, A::Error> {
                let mut ids = HashMap::new();
                while let Some((piece, id)) = pieces.next_entry()? {
                    ids.insert(piece, id);
                }
                Ok(Vocabulary::Ids(ids))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut pieces: A) -> Result<Vocabulary<'de>, A::Error> {
                let mut scores = Vec::new();
                while let Some(piece) = pieces.next_element()? {
                    scores.push(piece);
                }
                Ok(Vocabulary::Scores(scores))
            }
        }
        deserializer.deserialize_any(OneOfBoth)
    }
}

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

impl<'a> ModelPart<'a> {
    /// The model.
    ///
    /// # Errors
    /// One of another kind, or that contradicts itself.
    pub fn read(mut self) -> Result<Model, Refused> {
        match (self.kind.as_deref(), std::mem::take(&mut self.vocab)) {
            (None | Some("BPE"), Vocabulary::Ids(ids)) => self.bpe(&ids).map(Model::Bpe),
            (None | Some("Unigram"), Vocabulary::Scores(pieces)) => self.unigram(pieces).map(Model::Unigram),
            (Some(kind @ ("BPE" | "Unigram")), _) => Err(Refused::Damaged(format!(
                "its model is {kind:?} and has the vocabulary of another, BPE or Unigram"
            ))),
            (kind, _) => {
                let kind = kind.unwrap_or("unnamed");
                Err(Refused::Unknown(format!("its model is {kind:?}, expected BPE or Unigram")))
            }
        }
    }

    fn bpe(&self, ids: &HashMap<Text<'a>, u32>) -> Result<Bpe, Refused> {
        if self.dropout.is_some_and(|dropout| dropout > 0.0) {
            return Err(Refused::Damaged("it drops merges at random (`dropout`)".into()));
        }
        self.check_bpe().map_err(Refused::Unknown)?;
        let find = |piece: &str| ids.get(&Text(Cow::Borrowed(piece))).copied();
        let id =
            |piece: &str| find(piece).ok_or_else(|| Refused::Damaged(format!("{piece:?} is not in its vocabulary")));
        let pieces = pieces(ids)?;
        let merges = self.merges.as_ref().ok_or_else(|| Refused::Damaged("its model has no merges".into()))?;
        let mut list = Vec::with_capacity(merges.len());
        let mut whole = String::new();
        for merge in merges {
            // Older files may begin with a comment.
            if matches!(merge, Pair::Line(line) if line.starts_with("#version")) {
                continue;
            }
            let two = || Refused::Damaged("one of its merges is not of two pieces".into());
            let (left, right) = merge.parts().ok_or_else(two)?;
            whole.clear();
            whole.extend([left, right]);
            list.push([id(left)?, id(right)?, id(&whole)?]);
        }
        let merges = Merges::in_order(&list, pieces.len());
        let unknown = self.unk_token.as_deref().map(id).transpose()?;
        let unknown = Unknown { bytes: self.byte_fallback, id: unknown, fuse: self.fuse_unk };
        Ok(Bpe::new(pieces, merges, unknown))
    }

    /// Whether it does nothing that is not known here.
    fn check_bpe(&self) -> Result<(), String> {
        let set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        if set(&self.continuing_subword_prefix) || set(&self.end_of_word_suffix) {
            return Err("it marks the starts or ends of words".into());
        }
        if self.ignore_merges {
            return Err("it takes whole words from its vocabulary (`ignore_merges`)".into());
        }
        Ok(())
    }

    fn unigram(&self, list: Vec<(Text<'a>, f64)>) -> Result<Unigram, Refused> {
        let (mut text, mut ends) = (String::new(), Vec::with_capacity(list.len()));
        for (piece, _) in &list {
            text.push_str(&piece.0);
            ends.push(text.len() as u32);
        }
        let scores = list.into_iter().map(|(_, score)| score).collect();
        let unknown = self.unk_id.ok_or_else(|| Refused::Damaged("it has no unknown token (`unk_id`)".into()))?;
        let model =
            Pieces::new(text, ends).and_then(|pieces| Unigram::new(pieces, scores, unknown, self.byte_fallback));
        model.ok_or_else(|| Refused::Damaged(format!("its unknown token {unknown} is not in its vocabulary")))
    }
}

impl Default for Vocabulary<'_> {
    fn default() -> Self {
        Self::Scores(Vec::new())
    }
}

/// The vocabulary by id: 0 to V - 1, each once.
fn pieces(vocab: &HashMap<Text<'_>, u32>) -> Result<Pieces, Refused> {
    let mut by_id: Vec<Option<&str>> = vec![None; vocab.len()];
    for (piece, &id) in vocab {
        let place = by_id.get_mut(id as usize).filter(|place| place.is_none());
        let gap = || format!("its {} pieces have not the ids from 0: {:?} has {id}", vocab.len(), piece.0);
        *place.ok_or_else(|| Refused::Unknown(gap()))? = Some(&piece.0);
    }
    let mut text = String::new();
    let mut ends = Vec::with_capacity(by_id.len());
    for piece in by_id.into_iter().flatten() {
        text.push_str(piece);
        ends.push(text.len() as u32);
    }
    Pieces::new(text, ends).ok_or_else(|| Refused::Damaged("its vocabulary is larger than 4 GB".into()))
}
