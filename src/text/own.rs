use std::collections::HashMap;

use super::added::{AddedToken, AddedTokens};
use super::model::Model;
use super::rules::Rules;
use super::tokenizer::{NewToken, TokenizerKind, TokenizerSize};

/// A tokenizer that this crate runs itself.
#[derive(Debug)]
pub(super) struct Own {
    pub rules: Rules,
    pub model: Model,
    pub added: AddedTokens,
}

impl Own {
    pub fn kind(&self) -> TokenizerKind {
        match self.model {
            Model::Bpe(_) => TokenizerKind::Bpe,
            Model::Unigram(_) => TokenizerKind::Unigram,
        }
    }

    pub fn size(&self) -> TokenizerSize {
        TokenizerSize {
            pieces: self.model.pieces().len() as usize,
            merges: self.model.merges(),
            added: self.added.iter().len(),
        }
    }

    /// The same with further tokens; none if one is empty or there already.
    pub fn with_tokens(self, tokens: impl IntoIterator<Item = NewToken>) -> Option<Self> {
        let Self { rules, model, added } = self;
        let mut next = added.iter().map(|token| token.id.saturating_add(1)).fold(model.pieces().len(), u32::max);
        let pieces: HashMap<&str, u32> = model.pieces().iter().zip(0..).collect();
        let further = tokens.into_iter().map(|NewToken { content, special }| {
            let id = pieces.get(content.as_str()).copied().unwrap_or(next);
            next = next.saturating_add(u32::from(id == next));
            AddedToken { content, id, special, normalized: false, lstrip: false, rstrip: false }
        });
        let added = added.with(further, &rules)?;
        Some(Self { rules, model, added })
    }

    /// The id of a token or piece by its whole text.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.added.id(token).or_else(|| self.model.pieces().id(token))
    }

    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        let first = self.rules.ask_for_first();
        self.added.cut_exact(text, |token, range| match token {
            Some(id) => ids.push(id),
            None => self.encode_part(&text[range.clone()], first && range.start == 0, &mut ids),
        });
        ids
    }

    fn encode_part(&self, text: &str, first: bool, ids: &mut Vec<u32>) {
        let text = self.rules.normalized(text, first);
        self.added.cut_normalized(text.as_str(), |token, range| match token {
            Some(id) => ids.push(id),
            None => self.rules.cut(text.slice(range), &mut |word| self.model.encode(word, ids)),
        });
    }

    /// The piece of an id as the vocabulary has it; none for special tokens and ids that are not there.
    pub fn piece(&self, id: u32) -> Option<&str> {
        match self.added.get(id) {
            Some(token) => (!token.special).then_some(&token.content),
            None => self.model.pieces().get(id).filter(|piece| !self.added.is_special(piece)),
        }
    }
}
