use crate::base::{ErrorKind, LayerError, Remedy, Setting};
use crate::quant::QuantError;

/// What can go wrong between a model and its player.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// A tensor has another shape than the configuration says.
    #[error("tensor {name} has shape {found:?}, and config.json asks for {rows} rows of {k} elements")]
    Shape {
        /// Name of the tensor in the checkpoint.
        name: String,
        /// Extents in the checkpoint, outermost first.
        found: Vec<usize>,
        /// Rows expected.
        rows: usize,
        /// Elements per row expected.
        k: usize,
    },
    /// A tensor that a model of this configuration does not have.
    #[error("the checkpoint has a tensor {0}, which no model of this config.json has")]
    ForeignTensor(String),
    /// A value that the dtype asked for cannot hold.
    #[error("{file}, byte {byte}, tensor {tensor}: {reason}")]
    Value {
        /// The checkpoint's file that the tensor lies in.
        file: String,
        /// Name of the tensor in it.
        tensor: String,
        /// Where in the file the value begins.
        byte: usize,
        /// What is wrong with it, with its row and column in the tensor.
        reason: QuantError,
    },
    /// More tokens than the model may hold at once.
    #[error("the pictures, the prompt and the answer need {needed} tokens, and the model holds {capacity}")]
    TooLong {
        /// Tokens of pictures, prompt and answer together.
        needed: usize,
        /// Positions that the model was trained on, or that its buffers can hold.
        capacity: usize,
    },
    /// A prompt with nothing in it.
    #[error("the prompt has no tokens")]
    EmptyPrompt,
    /// A token id that the vocabulary does not hold.
    #[error("token id {id} is outside the vocabulary of {vocabulary}")]
    UnknownToken {
        /// As the caller gave it.
        id: u32,
        /// V: ids are below it.
        vocabulary: usize,
    },
    /// A picture tensor of the wrong size.
    #[error("the picture tensor has {found} values, and the vision encoder takes {expected}")]
    Picture {
        /// f32 values that the caller gave.
        found: usize,
        /// f32 values of `[S, S, 3]`.
        expected: usize,
    },
    /// A text of another number of ids than its encoder takes.
    #[error("the text has {found} ids, and the text encoder takes {expected}")]
    TextLength {
        /// Ids that the caller gave.
        found: usize,
        /// L.
        expected: usize,
    },
    /// Logits that are no numbers.
    #[error("the model's logits are not finite at token {position}")]
    NotFinite {
        /// Position of the row.
        position: usize,
    },
    /// A weight of which a pack has not all rows.
    #[error("{rows} of {expected} rows of {name} have come")]
    Incomplete {
        /// The weight, by the name that graphs ask for.
        name: String,
        /// Rows on the device.
        rows: usize,
        /// Rows that it has.
        expected: usize,
    },
    /// Images for a model that takes none.
    #[error("this model takes no images")]
    NoImages,
    /// Texts for a model that embeds none.
    #[error("this model has no text encoder")]
    NoTexts,
    /// Codes of a mask, and nothing to decode them with.
    #[error("this model has no decoder of masks")]
    NoMaskDecoder,
    /// The caller cancelled.
    #[error("cancelled")]
    Cancelled,
    /// A recording names a buffer that the session does not have.
    #[error("the session has no buffer {0}")]
    MissingState(String),
}

impl LayerError for SessionError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Shape { .. } | Self::ForeignTensor(_) => ErrorKind::BadConfig,
            Self::Value { reason, .. } => reason.kind(),
            Self::TooLong { .. } | Self::EmptyPrompt | Self::UnknownToken { .. } | Self::Picture { .. } => {
                ErrorKind::BadArgument
            }
            Self::TextLength { .. } => ErrorKind::BadArgument,
            Self::NotFinite { .. } | Self::Incomplete { .. } => ErrorKind::BadModelFile,
            Self::NoMaskDecoder | Self::NoImages | Self::NoTexts => ErrorKind::Unsupported,
            Self::Cancelled => ErrorKind::Cancelled,
            Self::MissingState(_) => ErrorKind::Internal,
        }
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::Value { reason, .. } => return reason.remedy(),
            Self::Shape { .. } | Self::ForeignTensor(_) => {
                "Check that config.json and the weights come from the same checkpoint."
            }
            Self::TooLong { .. } => "Ask for fewer new tokens, shorten the prompt or use fewer pictures.",
            Self::EmptyPrompt => "Give a picture or a prompt.",
            Self::UnknownToken { .. } => "Check that the tokenizer belongs to this checkpoint.",
            Self::TextLength { .. } => "Make the ids with the model's own rule.",
            Self::Picture { .. } => "Check that preprocessor_config.json belongs to this checkpoint.",
            Self::NotFinite { .. } => {
                return Remedy::of([
                    "The weights are damaged or overflow in this dtype: try ".into(),
                    Setting::Dtype(Some("f32")).into(),
                    ", or download them again.".into(),
                ]);
            }
            Self::Incomplete { .. } => "Convert the model again: shards are missing from its pack.",
            Self::NoImages => "Leave the image out, or use a model that takes one.",
            Self::NoTexts => "Leave the text out, or use a model that embeds texts, such as a SigLIP.",
            Self::NoMaskDecoder => "Put big_vision's vae-oid.npz beside the model's files.",
            Self::Cancelled => "Start again when you like.",
            Self::MissingState(_) => "This is a defect of ocelli: please report it.",
        }
        .into()
    }
}
