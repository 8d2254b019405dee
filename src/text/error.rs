use crate::base::{ErrorKind, Fault};

/// A tokenizer that cannot be used, or a text that it cannot take.
#[derive(Debug, thiserror::Error)]
pub enum TextFault {
    /// `tokenizer.json` is missing.
    #[error("tokenizer.json is missing in {place}")]
    Missing {
        /// Where it was looked for.
        place: String,
    },
    /// `tokenizer.json` is damaged, or of a kind that is not supported.
    #[error("tokenizer.json: {reason}")]
    Unusable {
        /// What was expected and found.
        reason: String,
    },
    /// A special token has another id than the configuration says, or none.
    #[error("tokenizer.json gives {token} the id {found}, config.json says {expected}")]
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
    /// A text that the tokenizer fails on.
    #[error("the text cannot be tokenised: {reason}")]
    Encode {
        /// What the tokenizer says.
        reason: String,
    },
}

impl Fault for TextFault {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Missing { .. } | Self::Unusable { .. } | Self::SpecialId { .. } => ErrorKind::BadTokenizer,
            Self::ImageInPrompt => ErrorKind::BadArgument,
            Self::Encode { .. } => ErrorKind::BadTokenizer,
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Missing { .. } => "Download tokenizer.json of the checkpoint into the same folder.",
            Self::ImageInPrompt => "Leave <image> out: pictures are put before the prompt.",
            _ => "Check that tokenizer.json is the one that came with this checkpoint.",
        }
        .into()
    }
}
