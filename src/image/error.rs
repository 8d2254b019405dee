use crate::base::{ErrorKind, FieldError, LayerError, Remedy};

use super::Rgb8;

/// Why a picture, or the description of how to prepare it, cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The bytes are no picture in a known format, or one that is damaged.
    #[error("{name} ({bytes} bytes) cannot be decoded: {reason}")]
    Unreadable {
        /// The file's name.
        name: String,
        /// Its size.
        bytes: usize,
        /// What the decoder said.
        reason: String,
    },
    /// A picture without pixels, or with too many.
    #[error(
        "the picture is {width} x {height} pixels; expected 1 to {} on each side and at most {} in all",
        Rgb8::MAX_SIDE,
        Rgb8::MAX_PIXELS
    )]
    Size {
        /// Pixels in a row.
        width: usize,
        /// Rows.
        height: usize,
    },
    /// The pixels' bytes do not fit the size.
    #[error("a picture of {width} x {height} pixels has {found} bytes; expected {expected}")]
    Bytes {
        /// Pixels in a row.
        width: usize,
        /// Rows.
        height: usize,
        /// Bytes that the size asks for.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// A field of `preprocessor_config.json` that is out of range, contradicts the model, or asks for what this version
    /// does not do.
    #[error(transparent)]
    Field(#[from] FieldError),
}

impl LayerError for ImageError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreadable { .. } | Self::Size { .. } => ErrorKind::BadImage,
            Self::Bytes { .. } => ErrorKind::BadArgument,
            Self::Field(field) => field.kind(),
        }
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::Unreadable { .. } => "Give a PNG, JPEG, WebP, GIF or BMP file that other programs can open.",
            Self::Size { .. } => "Scale the picture down first; models see far fewer pixels.",
            Self::Bytes { .. } => "Give width x height pixels, row by row.",
            Self::Field(field) => return field.remedy(),
        }
        .into()
    }
}
