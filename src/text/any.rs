//! Tokenizers of any kind, run by the crate `tokenizers`.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokenizers::{AddedToken, Tokenizer};

use super::tokenizer::{NewToken, TokenizerSize};
use super::{JSON, TextError};

/// Letters that hardly a vocabulary has, so that what a tokenizer makes of unknown ones shows when it is loaded.
const RARE: [&str; 4] = ["\u{16a0}", "\u{20000}", "\u{1f9ff}", "\u{10ffff}"];

/// A tokenizer with parts that this crate does not know.
pub(super) struct AnyTokenizer {
    inner: Tokenizer,
    refused: String,
}

impl fmt::Debug for AnyTokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyTokenizer").field("refused", &self.refused).finish_non_exhaustive()
    }
}

impl AnyTokenizer {
    /// Reads a `tokenizer.json` that was `refused` here, with the reason.
    ///
    /// # Errors
    /// Refused there, too; or one that fails on letters that it does not know.
    pub fn load(json: &[u8], refused: String) -> Result<Self, TextError> {
        let unusable = |reason| TextError::Unusable { file: JSON, reason };
        // It panics on some damaged files.
        let loaded = catch_unwind(AssertUnwindSafe(|| Tokenizer::from_bytes(json)));
        let Ok(Ok(inner)) = loaded else { return Err(unusable(refused)) };
        let fails =
            |text: &&str| !matches!(catch_unwind(AssertUnwindSafe(|| inner.encode_fast(*text, false))), Ok(Ok(_)));
        if RARE.iter().any(fails) {
            return Err(unusable("it has no token for letters that it does not know".into()));
        }
        Ok(Self { inner, refused })
    }

    /// Why this crate does not run it itself.
    pub fn refused(&self) -> &str {
        &self.refused
    }

    /// The same with further tokens; none if one is empty or there already.
    pub fn with_tokens(mut self, tokens: impl IntoIterator<Item = NewToken>) -> Option<Self> {
        let known = self.inner.get_added_vocabulary().get_vocab();
        let mut further: Vec<AddedToken> = Vec::new();
        for NewToken { content, special } in tokens {
            if content.is_empty()
                || known.contains_key(&content)
                || further.iter().any(|token| token.content == content)
            {
                return None;
            }
            further.push(AddedToken::from(content, special).normalized(false));
        }
        self.inner.add_tokens(&further);
        Some(self)
    }

    pub fn id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    pub fn largest_id(&self) -> u32 {
        self.inner.get_vocab(true).into_values().max().unwrap_or(0)
    }

    pub fn size(&self) -> TokenizerSize {
        let added = self.inner.get_added_vocabulary().get_vocab().len();
        TokenizerSize { pieces: self.inner.get_vocab_size(false), merges: 0, added }
    }

    /// None of a text that it fails on, which [`load`](Self::load) has tried to find.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.inner.encode_fast(text, false).map(|encoding| encoding.get_ids().to_vec()).unwrap_or_default()
    }

    pub fn decode(&self, ids: &[u32]) -> String {
        self.inner.decode(ids, true).unwrap_or_default()
    }

    pub fn stream(&self) -> AnyStream<'_> {
        AnyStream { tokenizer: self, ids: Vec::new(), given: 0, told: String::new() }
    }
}

/// Ids as they come, decoded with those before them: what a piece becomes may depend on them.
#[derive(Debug)]
pub(super) struct AnyStream<'a> {
    tokenizer: &'a AnyTokenizer,
    /// Those of the text given last, and the new ones.
    ids: Vec<u32>,
    /// How many of them have been given.
    given: usize,
    /// The text of those.
    told: String,
}

impl AnyStream<'_> {
    /// Takes the next id; what is certain now: nothing while a letter is not whole.
    pub fn push(&mut self, id: u32) -> String {
        self.ids.push(id);
        let text = self.tokenizer.decode(&self.ids);
        if text.len() <= self.told.len() || text.ends_with('\u{fffd}') {
            return String::new();
        }
        self.give(text)
    }

    /// What was held back.
    pub fn finish(&mut self) -> String {
        let text = self.tokenizer.decode(&self.ids);
        self.give(text)
    }

    fn give(&mut self, text: String) -> String {
        let new = match text.strip_prefix(&self.told) {
            Some(new) => new.to_owned(),
            // A decoder that changed what it had said: the new ids by themselves.
            None => self.tokenizer.decode(&self.ids[self.given..]),
        };
        self.ids.drain(..self.given);
        self.given = self.ids.len();
        self.told = self.tokenizer.decode(&self.ids);
        new
    }
}
