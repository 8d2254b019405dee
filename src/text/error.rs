use super::{COMPACT, JSON};
use crate::base::{ErrorKind, LayerError, Remedy};

/// A tokenizer that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// `tokenizer.json` is missing.
    #[error("{JSON} is missing in {place}{}", if *.sentencepiece { ", which has spiece.model instead" } else { "" })]
    Missing {
        /// Where it was looked for.
        place: String,
        /// Whether there is a `spiece.model`, of which it can be made.
        sentencepiece: bool,
    },
    /// The tokenizer is damaged, or of a kind that is not supported.
    #[error("{file}: {reason}")]
    Unusable {
        /// The file of its form.
        file: &'static str,
        /// What was expected and found.
        reason: String,
    },
    /// A tokenizer that works, but has parts that the compact form does not hold.
    #[error("{JSON} cannot be put into a pack: {reason}")]
    NotCompact {
        /// What is not held.
        reason: String,
    },
}

impl LayerError for TextError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Missing { .. } | Self::Unusable { .. } => ErrorKind::BadTokenizer,
            Self::NotCompact { .. } => ErrorKind::Unsupported,
        }
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::Missing { place, sentencepiece: true } => {
                return format!(
                    "Make it: python3 -c \"from transformers import T5Tokenizer as T; \
                     T.from_pretrained('{place}', extra_ids=0).backend_tokenizer.save('{place}/{JSON}')\""
                )
                .into();
            }
            Self::Missing { .. } => "Download tokenizer.json of the checkpoint into the same folder.",
            Self::Unusable { file: COMPACT, .. } => "Download the pack again, or convert the model again.",
            Self::Unusable { .. } => "Check that the tokenizer is the one that came with this checkpoint.",
            Self::NotCompact { .. } => {
                "Use the checkpoint's folder as it is; a pack needs a tokenizer of BPE or Unigram."
            }
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentencepieces_file_is_told_with_what_makes_another_of_it() {
        let error = TextError::Missing { place: "here".into(), sentencepiece: true };
        assert_eq!(
            error.to_string(),
            format!("tokenizer.json is missing in here, which has {} instead", crate::text::SENTENCEPIECE)
        );
        assert!(error.remedy().to_string().contains("save('here/tokenizer.json')"), "{}", error.remedy());
        let error = TextError::Missing { place: "here".into(), sentencepiece: false };
        assert_eq!(error.to_string(), "tokenizer.json is missing in here");
    }
}
