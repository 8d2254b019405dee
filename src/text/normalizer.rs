use super::charsmap::Charsmap;
use super::normalized::Normalized;
use super::pattern::Pattern;

/// A change to a text before it is cut into words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Normalizer {
    /// Lower case: letter by letter, or by `words`, where a Greek one that ends with a sigma is written with ς.
    Lowercase {
        /// Whether by words.
        words: bool,
    },
    /// One text for another, or for letters of a kind.
    Replace {
        /// What is looked for.
        pattern: Pattern,
        /// What is written for it.
        to: String,
    },
    /// No white space at an end.
    Strip {
        /// At its start.
        left: bool,
        /// At its end.
        right: bool,
    },
    /// As SentencePiece's charsmap says.
    Precompiled(Charsmap),
}

impl Normalizer {
    /// How many bytes a byte may become at most.
    pub(super) fn growth(&self) -> usize {
        match self {
            Self::Lowercase { .. } => 2,
            Self::Replace { pattern, to } => to.len().div_ceil(pattern.shortest()).max(1),
            Self::Strip { .. } => 1,
            Self::Precompiled(map) => map.longest().max(1),
        }
    }

    pub(super) fn apply(&self, text: &mut Normalized) {
        match self {
            Self::Lowercase { words } => text.lowercase(*words),
            Self::Replace { pattern, to } => text.replace(&|text, from| pattern.find(text, from), to),
            Self::Strip { left, right } => text.strip(*left, *right),
            Self::Precompiled(map) => map.apply(text),
        }
    }
}
