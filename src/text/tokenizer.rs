#[cfg(feature = "any-tokenizer")]
use super::any::AnyTokenizer;
#[cfg(feature = "any-tokenizer")]
use super::components::Refused;
use super::normalizer::Normalizer;
use super::own::Own;
use super::{COMPACT, Digest, JSON, StreamDecoder, TextError, compact, json};

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

/// How a tokenizer makes pieces of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenizerKind {
    /// Byte-pair encoding.
    Bpe,
    /// The likeliest pieces.
    Unigram,
    /// Another way, or with parts that only the crate `tokenizers` has.
    Other,
}

impl TokenizerKind {
    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bpe => "BPE",
            Self::Unigram => "Unigram",
            Self::Other => "another kind",
        }
    }
}

/// A tokenizer and the tokens that were added to it. What a model makes of them is the model's to know.
///
/// With the feature `any-tokenizer`, what this crate does not read itself is left to the crate `tokenizers`.
pub struct Tokenizer {
    pub(super) by: By,
    source: Option<Digest>,
}

/// Who runs it.
pub(super) enum By {
    Own(Box<Own>),
    #[cfg(feature = "any-tokenizer")]
    Any(Box<AnyTokenizer>),
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer").field("kind", &self.kind()).field("size", &self.size()).finish_non_exhaustive()
    }
}

impl Tokenizer {
    /// Reads the contents of a `tokenizer.json`, or of the compact form of one.
    ///
    /// # Errors
    /// A damaged file, or parts that are not supported.
    pub fn load(file: &[u8]) -> Result<Self, TextError> {
        if compact::is_compact(file) {
            let (own, source) = compact::read(file)?;
            return Ok(Self { by: By::Own(Box::new(own)), source: Some(source) });
        }
        let by = match json::read(file) {
            Ok(own) => By::Own(Box::new(own)),
            #[cfg(feature = "any-tokenizer")]
            Err(Refused::Unknown(reason)) => By::Any(Box::new(AnyTokenizer::load(file, reason)?)),
            Err(refused) => return Err(TextError::Unusable { file: JSON, reason: refused.reason() }),
        };
        Ok(Self { by, source: None })
    }

    /// How it makes pieces of words.
    pub fn kind(&self) -> TokenizerKind {
        match &self.by {
            By::Own(own) => own.kind(),
            #[cfg(feature = "any-tokenizer")]
            By::Any(_) => TokenizerKind::Other,
        }
    }

    /// The same with further tokens: one that is a piece keeps its id, others get the next ones.
    ///
    /// # Errors
    /// A token that is empty or there already.
    pub fn with_tokens(self, tokens: impl IntoIterator<Item = NewToken>) -> Result<Self, TextError> {
        let Self { by, source } = self;
        let by = match by {
            By::Own(own) => own.with_tokens(tokens).map(|own| By::Own(Box::new(own))),
            #[cfg(feature = "any-tokenizer")]
            By::Any(any) => any.with_tokens(tokens).map(|any| By::Any(Box::new(any))),
        };
        let by = by.ok_or_else(|| TextError::Unusable {
            file: if source.is_some() { COMPACT } else { JSON },
            reason: "one of the tokens to add is empty or there already".into(),
        })?;
        Ok(Self { by, source })
    }

    /// The same with changes that are made to a text first of all, between its exact added tokens.
    ///
    /// # Errors
    /// A tokenizer that this crate does not run itself, added tokens that then contradict each other.
    pub fn with_normalizers(self, first: Vec<Normalizer>) -> Result<Self, TextError> {
        let Self { by, source } = self;
        let file = if source.is_some() { COMPACT } else { JSON };
        #[cfg_attr(
            not(feature = "any-tokenizer"),
            expect(clippy::infallible_destructuring_match, reason = "the other pattern is the feature's")
        )]
        let own = match by {
            By::Own(own) => own,
            #[cfg(feature = "any-tokenizer")]
            By::Any(any) => return Err(TextError::Unusable { file, reason: any.refused().into() }),
        };
        let Own { mut rules, model, added } = *own;
        rules.normalizers.splice(..0, first);
        let reason = || "two of its added tokens are the same once texts are normalized".into();
        let added = added.with([], &rules).ok_or_else(|| TextError::Unusable { file, reason: reason() })?;
        Ok(Self { by: By::Own(Box::new(Own { rules, model, added })), source })
    }

    /// The id of a token or piece by its whole text.
    pub fn id(&self, token: &str) -> Option<u32> {
        match &self.by {
            By::Own(own) => own.id(token),
            #[cfg(feature = "any-tokenizer")]
            By::Any(any) => any.id(token),
        }
    }

    /// The largest id that a text may give.
    pub fn largest_id(&self) -> u32 {
        match &self.by {
            By::Own(own) => {
                let added = own.added.iter().map(|token| token.id).max();
                added.unwrap_or(0).max(own.model.pieces().len().saturating_sub(1))
            }
            #[cfg(feature = "any-tokenizer")]
            By::Any(any) => any.largest_id(),
        }
    }

    /// The compact form, which loads without parsing; `source` is the SHA-256 of the `tokenizer.json` that it was.
    ///
    /// # Errors
    /// A tokenizer with parts that the form does not hold.
    pub fn compact(&self, source: &Digest) -> Result<Vec<u8>, TextError> {
        match &self.by {
            By::Own(own) => compact::write(own, source),
            #[cfg(feature = "any-tokenizer")]
            By::Any(any) => Err(TextError::NotCompact { reason: any.refused().into() }),
        }
    }

    /// The SHA-256 of the `tokenizer.json` that a compact form was made of.
    pub fn source(&self) -> Option<&Digest> {
        self.source.as_ref()
    }

    /// What it holds.
    pub fn size(&self) -> TokenizerSize {
        match &self.by {
            By::Own(own) => own.size(),
            #[cfg(feature = "any-tokenizer")]
            By::Any(any) => any.size(),
        }
    }

    /// Ids of a text as it stands; tokens in angle brackets are taken as such.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        match &self.by {
            By::Own(own) => own.encode(text),
            #[cfg(feature = "any-tokenizer")]
            By::Any(any) => any.encode(text),
        }
    }

    /// The text of ids, without special tokens.
    pub fn decode(&self, ids: &[u32]) -> String {
        #[cfg(feature = "any-tokenizer")]
        if let By::Any(any) = &self.by {
            return any.decode(ids);
        }
        let mut stream = self.stream();
        let mut text: String = ids.iter().map(|&id| stream.push(id)).collect();
        text.push_str(&stream.finish());
        text
    }

    /// A decoder for ids as they come.
    pub fn stream(&self) -> StreamDecoder<'_> {
        StreamDecoder::new(self)
    }
}
