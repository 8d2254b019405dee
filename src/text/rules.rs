use super::SPACE;
use super::normalized::Normalized;
use super::normalizer::Normalizer;
use super::pattern::Pattern;
use super::words::{Prepend, Words};

/// How many times longer normalizers may make a text: those of published tokenizers make one at most 200 times longer.
const MOST_GROWTH: usize = 1 << 16;
/// Ways to cut a text that may follow each other.
const MOST_WORDS: usize = 8;

/// What is done to a text around the model: before it, and to its pieces on the way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rules {
    pub normalizers: Vec<Normalizer>,
    pub words: Vec<Words>,
    pub decoder: Decoder,
}

/// How pieces become text again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decoder {
    /// Spaces for [`SPACE`]; bytes for `<0x..>`.
    Bytes,
    /// Spaces for a letter; nothing for it in the first piece, where `bare`.
    Metaspace { letter: char, bare: bool },
}

impl Rules {
    /// Those of Gemma's tokenizers: spaces are written as [`SPACE`], and that is all.
    pub fn gemma() -> Self {
        let spaces = Normalizer::Replace { pattern: Pattern::Text(" ".into()), to: SPACE.into() };
        Self { normalizers: vec![spaces], words: Vec::new(), decoder: Decoder::Bytes }
    }

    /// Fails where a text of some letters could become one that no memory holds.
    pub fn check(&self) -> Result<(), &'static str> {
        let growth = self.normalizers.iter().map(Normalizer::growth).fold(1, usize::saturating_mul);
        if growth > MOST_GROWTH {
            return Err("its normalizers make texts too long");
        }
        if self.words.len() > MOST_WORDS { Err("it has too many pre-tokenizers") } else { Ok(()) }
    }

    /// Whether it is asked which part of a text is the first.
    pub fn ask_for_first(&self) -> bool {
        self.words.iter().any(|words| matches!(words, Words::Metaspace { prepend: Prepend::First, .. }))
    }

    /// A text as all normalizers leave it.
    pub fn normalized(&self, text: &str, first: bool) -> Normalized {
        let mut text = Normalized::new(text, first);
        self.normalizers.iter().for_each(|normalizer| normalizer.apply(&mut text));
        text
    }

    /// Cuts a normalized text into words.
    pub fn cut(&self, text: Normalized, take: &mut dyn FnMut(&str)) {
        cut(&self.words, text, take);
    }
}

fn cut(words: &[Words], text: Normalized, take: &mut dyn FnMut(&str)) {
    match words.split_first() {
        Some((first, others)) => first.cut(text, &mut |word| cut(others, word, take)),
        None => take(text.as_str()),
    }
}
