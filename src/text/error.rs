use super::COMPACT;
use crate::base::{ErrorKind, LayerError, Remedy};

/// A tokenizer that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// `tokenizer.json` is missing.
    #[error("tokenizer.json is missing in {place}")]
    Missing {
        /// Where it was looked for.
        place: String,
    },
    /// The tokenizer is damaged, or of a kind that is not supported.
    #[error("{file}: {reason}")]
    Unusable {
        /// The file of its form.
        file: &'static str,
        /// What was expected and found.
        reason: String,
    },
}

impl LayerError for TextError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::BadTokenizer
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::Missing { .. } => "Download tokenizer.json of the checkpoint into the same folder.",
            Self::Unusable { file: COMPACT, .. } => "Download the pack again, or convert the model again.",
            Self::Unusable { .. } => "Check that the tokenizer is the one that came with this checkpoint.",
        }
        .into()
    }
}
