use super::COMPACT;
use crate::base::{ErrorKind, Fault, Remedy};

/// A tokenizer that cannot be used, or a text that it cannot take.
#[derive(Debug, thiserror::Error)]
pub enum TextFault {
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

impl Fault for TextFault {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Missing { .. } | Self::Unusable { .. } | Self::SpecialId { .. } => ErrorKind::BadTokenizer,
            Self::ImageInPrompt => ErrorKind::BadArgument,
        }
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::Missing { .. } => "Download tokenizer.json of the checkpoint into the same folder.",
            Self::ImageInPrompt => "Leave <image> out: pictures are put before the prompt.",
            Self::Unusable { file: COMPACT, .. } => "Download the pack again, or convert the model again.",
            Self::Unusable { .. } | Self::SpecialId { .. } => {
                "Check that the tokenizer is the one that came with this checkpoint."
            }
        }
        .into()
    }
}
