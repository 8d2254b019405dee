use super::bpe::Bpe;
use super::pieces::Pieces;
use super::unigram::Unigram;

/// What makes pieces of a word.
#[derive(Debug)]
pub(super) enum Model {
    Bpe(Bpe),
    Unigram(Unigram),
}

impl Model {
    /// Its vocabulary.
    pub fn pieces(&self) -> &Pieces {
        match self {
            Self::Bpe(bpe) => &bpe.pieces,
            Self::Unigram(unigram) => &unigram.pieces,
        }
    }

    /// How many pairs of pieces become one.
    pub fn merges(&self) -> usize {
        match self {
            Self::Bpe(bpe) => bpe.merges.ids().len(),
            Self::Unigram(_) => 0,
        }
    }

    /// Appends the ids of a word.
    pub fn encode(&self, word: &str, ids: &mut Vec<u32>) {
        match self {
            Self::Bpe(bpe) => bpe.encode(word, ids),
            Self::Unigram(unigram) => unigram.encode(word, ids),
        }
    }
}
