use std::collections::HashMap;

use super::added::{AddedToken, AddedTokens, Part};
use super::bpe::Bpe;
use super::{COMPACT, Digest, JSON, SPACE, StreamDecoder, TextError, compact, json};

/// A token to add: found before anything else is, exactly as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// Its text.
    pub content: String,
    /// Not shown in answers.
    pub special: bool,
}

/// What a tokenizer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenizerSize {
    /// V, the pieces of its vocabulary; added tokens may be among them.
    pub pieces: usize,
    /// Pairs of pieces that become one.
    pub merges: usize,
    /// Tokens that are found before anything else is.
    pub added: usize,
}

/// A byte-pair tokenizer and the tokens that were added to it. What a model makes of them is the model's to know.
pub struct Tokenizer {
    bpe: Bpe,
    added: AddedTokens,
    source: Option<Digest>,
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer").field("size", &self.size()).finish_non_exhaustive()
    }
}

impl Tokenizer {
    /// Reads the contents of a `tokenizer.json`, or of the compact form of one.
    ///
    /// # Errors
    /// A damaged file, or parts that are not supported.
    pub fn load(file: &[u8]) -> Result<Self, TextError> {
        if compact::is_compact(file) {
            let (bpe, added, source) = compact::read(file)?;
            return Ok(Self { bpe, added, source: Some(source) });
        }
        let (bpe, added) = json::read(file)?;
        Ok(Self { bpe, added, source: None })
    }

    /// The same with further tokens: one that is a piece keeps its id, others get the next ones.
    ///
    /// # Errors
    /// A token that is empty or there already.
    pub fn with_tokens(self, tokens: impl IntoIterator<Item = NewToken>) -> Result<Self, TextError> {
        let Self { bpe, added, source } = self;
        let mut next = added.iter().map(|token| token.id.saturating_add(1)).fold(bpe.pieces.len(), u32::max);
        let pieces: HashMap<&str, u32> = bpe.pieces.iter().zip(0..).collect();
        let further = tokens.into_iter().map(|NewToken { content, special }| {
            let id = pieces.get(content.as_str()).copied().unwrap_or(next);
            next = next.saturating_add(u32::from(id == next));
            AddedToken { content, id, special, normalized: false, lstrip: false, rstrip: false }
        });
        let added = added.with(further).ok_or_else(|| TextError::Unusable {
            file: if source.is_some() { COMPACT } else { JSON },
            reason: "one of the tokens to add is empty or there already".into(),
        })?;
        Ok(Self { bpe, added, source })
    }

    /// The id of a token or piece by its whole text.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.added.id(token).or_else(|| self.bpe.pieces.id(token))
    }

    /// The compact form, which loads without parsing; `source` is the SHA-256 of the `tokenizer.json` that it was.
    pub fn compact(&self, source: &Digest) -> Vec<u8> {
        compact::write(&self.bpe, &self.added, source)
    }

    /// The SHA-256 of the `tokenizer.json` that a compact form was made of.
    pub fn source(&self) -> Option<&Digest> {
        self.source.as_ref()
    }

    /// What it holds.
    pub fn size(&self) -> TokenizerSize {
        TokenizerSize {
            pieces: self.bpe.pieces.len() as usize,
            merges: self.bpe.merges.ids().len(),
            added: self.added.iter().len(),
        }
    }

    /// Ids of a text as it stands; tokens in angle brackets are taken as such.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        self.added.cut_exact(text, |part| match part {
            Part::Token(id) => ids.push(id),
            Part::Text(text) => self.added.cut_normalized(&text.replace(' ', SPACE), |part| match part {
                Part::Token(id) => ids.push(id),
                Part::Text(text) => self.bpe.encode(text, &mut ids),
            }),
        });
        ids
    }

    /// The text of ids, without special tokens.
    pub fn decode(&self, ids: &[u32]) -> String {
        let mut stream = self.stream();
        let mut text: String = ids.iter().map(|&id| stream.push(id)).collect();
        text.push_str(&stream.finish());
        text
    }

    /// A decoder for ids as they come.
    pub fn stream(&self) -> StreamDecoder<'_> {
        StreamDecoder::new(self)
    }

    /// The piece of an id as the vocabulary has it; none for special tokens and ids that are not there.
    pub(super) fn piece(&self, id: u32) -> Option<&str> {
        match self.added.get(id) {
            Some(token) => (!token.special).then_some(&token.content),
            None => self.bpe.pieces.get(id),
        }
    }
}
