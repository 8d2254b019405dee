use std::io;
use std::path::PathBuf;

use crate::base::{ErrorKind, LayerError, Remedy};

/// What can go wrong on the way to a pack.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    #[error("cannot write {}: {reason}", .path.display())]
    Write { path: PathBuf, reason: io::Error },
    #[error("{pattern:?} is no pattern of names: {reason}")]
    Pattern { pattern: String, reason: String },
    #[error("no matrix is called {0:?}")]
    NoMatch(String),
    #[error("{0} is a pack already")]
    Pack(String),
    #[error("{} is the folder of the source, too", .0.display())]
    SourceFolder(PathBuf),
}

impl ConvertError {
    /// Makes the error of a path from what the system says.
    pub fn writing(path: impl Into<PathBuf>) -> impl Fn(io::Error) -> Self {
        let path = path.into();
        move |reason| Self::Write { path: path.clone(), reason }
    }
}

impl LayerError for ConvertError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Write { .. } => ErrorKind::Io,
            Self::Pattern { .. } | Self::NoMatch(_) | Self::Pack(_) | Self::SourceFolder(_) => ErrorKind::BadArgument,
        }
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::Write { .. } => "Check that the folder may be written to and has room.",
            Self::Pattern { .. } | Self::NoMatch(_) => {
                "Name weights as `ocelli inspect` does for a pack, such as `decoder.embed` or `vision.*`."
            }
            Self::Pack(_) => "Convert from the checkpoint that it was made of.",
            Self::SourceFolder(_) => "Name another folder for the pack.",
        }
        .into()
    }
}
