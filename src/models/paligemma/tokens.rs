//! The tokens of PaliGemma's prompts and answers, in whatever tokenizer its checkpoint came with.

use std::ops::Range;

use crate::base::{ErrorKind, LayerError, Remedy, Result};
use crate::text::{NewToken, Tokenizer};

/// Ids of special tokens as a model's configuration says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpecialIds {
    /// `<bos>`, which opens the text of a prompt.
    pub bos: u32,
    /// `<image>`, whose place pictures take.
    pub image: u32,
}

/// What a prompt is put together of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptTokens {
    special: SpecialIds,
    /// What ends a prompt, tokenised on its own as PaliGemma was trained.
    newline: Vec<u32>,
    /// What objects in an answer are written with.
    pub objects: ObjectTokens,
}

/// Ids of the tokens that objects are written with, each range in order; empty where the tokenizer has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectTokens {
    /// `<loc0000>` to `<loc1023>`: bins of a box's edges.
    pub locations: Range<u32>,
    /// `<seg000>` to `<seg127>`: codes of a mask.
    pub segments: Range<u32>,
}

/// What a token stands for in an answer with objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpecialToken {
    /// `<loc0000>` to `<loc1023>`: a box's edge, in 1023rds of the picture's side.
    Location(u16),
    /// `<seg000>` to `<seg127>`: one of a mask's 16 codes.
    Segment(u8),
    /// A piece of text, or any other token.
    Text,
}

/// Bins of a box's edges.
const LOCATIONS: usize = 1024;
/// Codes of a mask.
const SEGMENTS: usize = 128;

/// A tokenizer that is not PaliGemma's, or a prompt that it cannot take.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// A special token has another id than the configuration says, or none.
    #[error("the tokenizer gives {token} the id {found}, config.json says {expected}")]
    SpecialId {
        /// The token.
        token: &'static str,
        /// Its id in the tokenizer.
        found: String,
        /// Its id in the configuration.
        expected: u32,
    },
    /// A prompt that holds a picture's place, which pictures take by themselves.
    #[error("the prompt contains <image>")]
    ImageInPrompt,
}

impl LayerError for TokenError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::SpecialId { .. } => ErrorKind::BadTokenizer,
            Self::ImageInPrompt => ErrorKind::BadArgument,
        }
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::SpecialId { .. } => "Check that the tokenizer is the one that came with this checkpoint.",
            Self::ImageInPrompt => "Leave <image> out: pictures are put before the prompt.",
        }
        .into()
    }
}

/// Reads a tokenizer of either form, and finds PaliGemma's tokens in it; a plain Gemma tokenizer gets `<loc>`, `<seg>`
/// and `<image>` tokens.
///
/// # Errors
/// A damaged file, parts that Gemma's does not have, or special tokens that are not where the configuration says.
pub fn load_tokenizer(file: &[u8], special: SpecialIds) -> Result<(Tokenizer, PromptTokens)> {
    let mut tokenizer = Tokenizer::load(file)?;
    if tokenizer.id("<image>").is_none() {
        tokenizer = tokenizer.with_tokens(missing_tokens())?;
    }
    let tokens = PromptTokens::of(&tokenizer, special)?;
    Ok((tokenizer, tokens))
}

/// What PaliGemma adds to Gemma's tokenizer.
fn missing_tokens() -> impl Iterator<Item = NewToken> {
    let token = |special: bool| move |content: String| NewToken { content, special };
    let locations = (0..LOCATIONS).map(|n| format!("<loc{n:04}>"));
    let segments = (0..SEGMENTS).map(|n| format!("<seg{n:03}>"));
    locations.chain(segments).map(token(false)).chain(["<image>".into()].map(token(true)))
}

impl PromptTokens {
    /// Finds the tokens in a tokenizer.
    ///
    /// # Errors
    /// `<bos>` or `<image>` is not where the configuration says.
    pub fn of(tokenizer: &Tokenizer, special: SpecialIds) -> Result<Self, TokenError> {
        for (token, expected) in [("<bos>", special.bos), ("<image>", special.image)] {
            let found = tokenizer.id(token);
            if found != Some(expected) {
                let found = found.map_or("none".into(), |id| id.to_string());
                return Err(TokenError::SpecialId { token, found, expected });
            }
        }
        Ok(Self { special, newline: tokenizer.encode("\n"), objects: ObjectTokens::of(tokenizer) })
    }

    /// Ids of a prompt behind its pictures: `<bos>`, the text, a newline.
    ///
    /// # Errors
    /// A text that holds `<image>`.
    pub fn prompt(&self, tokenizer: &Tokenizer, text: &str) -> Result<Vec<u32>, TokenError> {
        let ids = tokenizer.encode(text);
        if ids.contains(&self.special.image) {
            return Err(TokenError::ImageInPrompt);
        }
        Ok([&[self.special.bos], ids.as_slice(), &self.newline].concat())
    }
}

impl ObjectTokens {
    /// Finds the tokens in a tokenizer.
    pub fn of(tokenizer: &Tokenizer) -> Self {
        let in_order = |first: &str, last: &str, count: usize| {
            let (first, last) = (tokenizer.id(first)?, tokenizer.id(last)?);
            (last.checked_sub(first) == Some(count as u32 - 1)).then(|| first..last + 1)
        };
        Self {
            locations: in_order("<loc0000>", "<loc1023>", LOCATIONS).unwrap_or_default(),
            segments: in_order("<seg000>", "<seg127>", SEGMENTS).unwrap_or_default(),
        }
    }

    /// What an id stands for.
    pub fn special_token(&self, id: u32) -> SpecialToken {
        if self.locations.contains(&id) {
            SpecialToken::Location((id - self.locations.start) as u16)
        } else if self.segments.contains(&id) {
            SpecialToken::Segment((id - self.segments.start) as u8)
        } else {
            SpecialToken::Text
        }
    }
}
