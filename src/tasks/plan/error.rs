use super::points::Column;
use crate::base::{ErrorKind, LayerError, Remedy};
use crate::models::shape_law::LEAST_POINTS;

/// What cannot be planned, or fitted.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlanError {
    /// A prompt that the decoder has no positions for.
    #[error("a prompt of {found} tokens; beside the picture the model has positions for {most}")]
    Prompt { found: usize, most: usize },
    /// A table of points without its header.
    #[error("{file}: line 1 is {found:?}, expected the header x,t,f")]
    Header { file: String, found: String },
    /// A line that is no point.
    #[error("{file}: line {line} has {found}, expected {expected}")]
    Row { file: String, line: usize, found: String, expected: &'static str },
    /// Too few points.
    #[error("{file}: {found} points, expected at least {LEAST_POINTS}")]
    TooFew { file: String, found: usize },
    /// Points that do not tell how error depends on something.
    #[error("{file}: {found} different values of {column}, expected at least {least}")]
    Alike { file: String, column: Column, found: usize, least: usize },
}

impl LayerError for PlanError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::BadArgument
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::Prompt { .. } => "Plan for a shorter prompt.".into(),
            Self::Header { .. } | Self::Row { .. } => {
                "Write one point a line, behind a header: x (width, depth or MLP), t (compute), f (error), such as \
                 768,1.5,0.31."
                    .into()
            }
            Self::TooFew { .. } | Self::Alike { .. } => {
                "Measure more: the law has 7 parameters, and needs shapes on both sides of the best at several amounts of \
                 compute."
                    .into()
            }
        }
    }
}
