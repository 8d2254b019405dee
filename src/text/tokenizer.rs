use std::ops::Range;

use tokenizers::models::bpe::BPE;
use tokenizers::{AddedToken, TokenizerImpl};

use super::components::{NoSpecials, NoSplit, Pieces, Spaces};
use super::{StreamDecoder, TextFault};

/// Ids of special tokens as a model's configuration says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpecialIds {
    /// `<bos>`, which opens the text of a prompt.
    pub bos: u32,
    /// `<image>`, whose place pictures take.
    pub image: u32,
}

/// Ids of an answer's marks, each range in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    /// `<loc0000>` to `<loc1023>`.
    pub locations: Range<u32>,
    /// `<seg000>` to `<seg127>`.
    pub segments: Range<u32>,
}

/// What a token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// `<loc0000>` to `<loc1023>`: a box's edge, in 1023rds of the picture's side.
    Location(u16),
    /// `<seg000>` to `<seg127>`: one of a mask's 16 codes.
    Segment(u8),
    /// A piece of text, or a special token.
    Text,
}

/// `<loc0000>` to `<loc1023>`: bins of a box's edges.
const LOCATIONS: usize = 1024;
/// `<seg000>` to `<seg127>`: codes of a mask.
const SEGMENTS: usize = 128;

/// A Gemma tokenizer with PaliGemma's tokens.
pub struct Tokenizer {
    inner: TokenizerImpl<BPE, Spaces, NoSplit, NoSpecials, Pieces>,
    special: SpecialIds,
    /// What ends a prompt, tokenised on its own as PaliGemma was trained.
    newline: Vec<u32>,
    /// Ids of `<loc0000>` and `<seg000>`; the others follow in order.
    first_location: Option<u32>,
    first_segment: Option<u32>,
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer").field("special", &self.special).finish_non_exhaustive()
    }
}

impl Tokenizer {
    /// Reads the contents of a `tokenizer.json`. A plain Gemma tokenizer gets `<loc>`, `<seg>` and `<image>` tokens.
    ///
    /// # Errors
    /// Not JSON, parts that Gemma's does not have, or special tokens that are not where the configuration says.
    pub fn load(json: &[u8], special: SpecialIds) -> Result<Self, TextFault> {
        let mut inner: TokenizerImpl<BPE, Spaces, NoSplit, NoSpecials, Pieces> =
            serde_json::from_slice(json).map_err(|error| TextFault::Unusable { reason: error.to_string() })?;
        if inner.get_normalizer().is_none() || inner.get_decoder().is_none() {
            return Err(TextFault::Unusable { reason: "it has no normalizer or no decoder".into() });
        }
        if inner.get_model().dropout.is_some_and(|dropout| dropout > 0.0) {
            return Err(TextFault::Unusable { reason: "it drops merges at random (`dropout`)".into() });
        }
        if inner.token_to_id("<image>").is_none() {
            let added = |content: String, special| AddedToken::from(content, special).normalized(false);
            let mut tokens: Vec<AddedToken> = (0..LOCATIONS).map(|n| added(format!("<loc{n:04}>"), false)).collect();
            tokens.extend((0..SEGMENTS).map(|n| added(format!("<seg{n:03}>"), false)));
            tokens.push(added("<image>".into(), true));
            inner.add_tokens(&tokens);
        }
        for (token, expected) in [("<bos>", special.bos), ("<image>", special.image)] {
            let found = inner.token_to_id(token);
            if found != Some(expected) {
                let found = found.map_or("none".into(), |id| id.to_string());
                return Err(TextFault::SpecialId { token, found, expected });
            }
        }
        let in_order = |first: &str, last: &str, count: usize| {
            let (first, last) = (inner.token_to_id(first)?, inner.token_to_id(last)?);
            (last.checked_sub(first) == Some(count as u32 - 1)).then_some(first)
        };
        let first_location = in_order("<loc0000>", "<loc1023>", LOCATIONS);
        let first_segment = in_order("<seg000>", "<seg127>", SEGMENTS);
        let mut tokenizer = Self { inner, special, newline: Vec::new(), first_location, first_segment };
        tokenizer.newline = tokenizer.encode("\n")?;
        Ok(tokenizer)
    }

    /// Ids of a text as it stands; tokens in angle brackets are taken as such.
    ///
    /// # Errors
    /// A text that the tokenizer fails on.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TextFault> {
        let encoding =
            self.inner.encode_fast(text, false).map_err(|error| TextFault::Encode { reason: error.to_string() })?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Ids of a prompt behind its pictures: `<bos>`, the text, a newline.
    ///
    /// # Errors
    /// A text that holds `<image>`, or that the tokenizer fails on.
    pub fn prompt(&self, text: &str) -> Result<Vec<u32>, TextFault> {
        let ids = self.encode(text)?;
        if ids.contains(&self.special.image) {
            return Err(TextFault::ImageInPrompt);
        }
        Ok([&[self.special.bos], ids.as_slice(), &self.newline].concat())
    }

    /// The ids of `<loc>` and `<seg>` tokens, if there are both.
    pub fn marks(&self) -> Option<Marks> {
        let range = |first: u32, count: usize| first..first + count as u32;
        Some(Marks {
            locations: range(self.first_location?, LOCATIONS),
            segments: range(self.first_segment?, SEGMENTS),
        })
    }

    /// What an id stands for in an answer with objects.
    pub fn mark(&self, id: u32) -> Mark {
        let within = |first: Option<u32>, count: usize| {
            first.and_then(|first| id.checked_sub(first)).filter(|&n| (n as usize) < count)
        };
        if let Some(bin) = within(self.first_location, LOCATIONS) {
            Mark::Location(bin as u16)
        } else if let Some(code) = within(self.first_segment, SEGMENTS) {
            Mark::Segment(code as u8)
        } else {
            Mark::Text
        }
    }

    /// The text of ids, without special tokens; `<loc>` and `<seg>` are no special ones.
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
    pub(super) fn piece(&self, id: u32) -> Option<String> {
        let piece = self.inner.id_to_token(id)?;
        (!self.inner.get_added_vocabulary().is_special_token(&piece)).then_some(piece)
    }
}
