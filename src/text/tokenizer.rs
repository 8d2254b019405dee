use std::ops::Range;

use super::added::{AddedTokens, Part};
use super::bpe::Bpe;
use super::{Digest, SPACE, StreamDecoder, TextFault, compact, json};

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
pub(super) const LOCATIONS: usize = 1024;
/// `<seg000>` to `<seg127>`: codes of a mask.
pub(super) const SEGMENTS: usize = 128;

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

/// A Gemma tokenizer with PaliGemma's tokens.
pub struct Tokenizer {
    bpe: Bpe,
    added: AddedTokens,
    source: Option<Digest>,
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
    /// Reads the contents of a `tokenizer.json`, or of the compact form of one. A plain Gemma tokenizer gets `<loc>`,
    /// `<seg>` and `<image>` tokens.
    ///
    /// # Errors
    /// A damaged file, parts that Gemma's does not have, or special tokens that are not where the configuration says.
    pub fn load(file: &[u8], special: SpecialIds) -> Result<Self, TextFault> {
        let (bpe, added, source) = if compact::is_compact(file) {
            let (bpe, added, source) = compact::read(file)?;
            (bpe, added, Some(source))
        } else {
            let (bpe, added) = json::read(file)?;
            (bpe, added, None)
        };
        let find = |text: &str| {
            let token = added.iter().find(|token| token.content == text);
            token.map(|token| token.id).or_else(|| bpe.pieces.id(text))
        };
        for (token, expected) in [("<bos>", special.bos), ("<image>", special.image)] {
            let found = find(token);
            if found != Some(expected) {
                let found = found.map_or("none".into(), |id| id.to_string());
                return Err(TextFault::SpecialId { token, found, expected });
            }
        }
        let in_order = |first: &str, last: &str, count: usize| {
            let (first, last) = (find(first)?, find(last)?);
            (last.checked_sub(first) == Some(count as u32 - 1)).then_some(first)
        };
        let first_location = in_order("<loc0000>", "<loc1023>", LOCATIONS);
        let first_segment = in_order("<seg000>", "<seg127>", SEGMENTS);
        let newline = Vec::new();
        let mut tokenizer = Self { bpe, added, source, special, newline, first_location, first_segment };
        tokenizer.newline = tokenizer.encode("\n");
        Ok(tokenizer)
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

    /// Ids of a prompt behind its pictures: `<bos>`, the text, a newline.
    ///
    /// # Errors
    /// A text that holds `<image>`.
    pub fn prompt(&self, text: &str) -> Result<Vec<u32>, TextFault> {
        let ids = self.encode(text);
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
    pub(super) fn piece(&self, id: u32) -> Option<&str> {
        match self.added.get(id) {
            Some(token) => (!token.special).then_some(&token.content),
            None => self.bpe.pieces.get(id),
        }
    }
}
