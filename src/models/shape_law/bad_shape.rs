use super::NAMES;
use crate::base::{ErrorKind, LayerError, Remedy};

/// A text that says no shape of a vision transformer.
#[derive(Debug, thiserror::Error)]
pub enum BadShape {
    /// No shape at all.
    #[error("{0:?} is no shape of a vision transformer, and no folder of a model")]
    Unknown(String),
    /// A number of it that makes no model.
    #[error("{shape:?}: the {what} is {found}, expected {expected}")]
    Number {
        /// The whole text.
        shape: String,
        /// Which number.
        what: &'static str,
        /// As it stands there.
        found: String,
        /// What it may be.
        expected: String,
    },
}

impl LayerError for BadShape {
    fn kind(&self) -> ErrorKind {
        ErrorKind::BadArgument
    }

    fn remedy(&self) -> Remedy {
        format!(
            "Write width, depth and MLP, then patch and pixels if not 16 and 224, such as 1152x27x4304/14@384; or a name, \
             such as so400m/14@384, out of {}; or sovit-U for a point of the published ray, such as sovit-0.59; or a \
             pack, or a checkpoint's folder.",
            NAMES.map(|(name, ..)| name).join(", ")
        )
        .into()
    }
}
