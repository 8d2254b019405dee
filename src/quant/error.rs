use crate::base::{ErrorKind, LayerError, Remedy, Setting};
use crate::tensor::Dtype;

/// Why weights could not be encoded or decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum QuantError {
    /// A weight is NaN or infinite.
    #[error("the weight at row {row}, column {column} is {value}, not a finite number")]
    NotFinite {
        /// Row of the weight.
        row: usize,
        /// Column of the weight.
        column: usize,
        /// What stands there.
        value: f32,
    },
    /// A weight is finite but beyond what the format holds.
    #[error(
        "the weight at row {row}, column {column} is {value}, beyond the largest magnitude {dtype} holds ({limit})"
    )]
    TooLarge {
        /// Row of the weight.
        row: usize,
        /// Column of the weight.
        column: usize,
        /// What stands there.
        value: f32,
        /// The format asked for.
        dtype: Dtype,
        /// The largest magnitude of that format.
        limit: f32,
    },
    /// The number of elements or bytes does not fit the shape.
    #[error("{what}: expected {expected}, found {found}")]
    Size {
        /// What was counted.
        what: &'static str,
        /// The number that the shape asks for.
        expected: usize,
        /// The number given.
        found: usize,
    },
}

impl QuantError {
    /// Row and column of the weight that is to blame, if one is.
    pub fn place(&mut self) -> Option<[&mut usize; 2]> {
        match self {
            Self::NotFinite { row, column, .. } | Self::TooLarge { row, column, .. } => Some([row, column]),
            Self::Size { .. } => None,
        }
    }
}

impl LayerError for QuantError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::BadModelFile
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::NotFinite { .. } => "The checkpoint is damaged or its training diverged: fetch it again.".into(),
            Self::TooLarge { .. } => {
                Remedy::of(["Use a wider dtype, such as ".into(), Setting::Dtype(Some("f32")).into(), ".".into()])
            }
            Self::Size { .. } => "Compare the tensor's shape with its file: one of them is wrong.".into(),
        }
    }
}
