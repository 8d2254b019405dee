use std::fmt;

use super::{Details, Remedy};

/// What went wrong, as a closed set that callers may match on.
///
/// Each kind has a [stable code](ErrorKind::code): the same string in the command line's JSON, in the browser's
/// `error.code` and in the troubleshooting page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file, tensor or other named thing is not there.
    NotFound,
    /// A model file is truncated, contradicts itself, or is not what its name says.
    BadModelFile,
    /// The configuration is no JSON, disagrees with the tensors, or has a value out of range.
    BadConfig,
    /// A valid model that this version cannot run.
    Unsupported,
    /// The tokenizer is missing or cannot be used.
    BadTokenizer,
    /// The picture cannot be decoded, or its size is out of range.
    BadImage,
    /// An argument of the call is out of range.
    BadArgument,
    /// No device of the wanted kind.
    NoDevice,
    /// The device lacks a feature or its limits are too small for the model.
    DeviceLimit,
    /// The device has no memory left.
    OutOfMemory,
    /// The device was lost while it worked.
    DeviceLost,
    /// The caller cancelled the work.
    Cancelled,
    /// Reading or writing failed outside our control.
    Io,
    /// A defect of this library.
    Internal,
}

impl ErrorKind {
    /// The stable code, `OCELLI_…`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotFound => "OCELLI_NOT_FOUND",
            Self::BadModelFile => "OCELLI_BAD_MODEL_FILE",
            Self::BadConfig => "OCELLI_BAD_CONFIG",
            Self::Unsupported => "OCELLI_UNSUPPORTED",
            Self::BadTokenizer => "OCELLI_BAD_TOKENIZER",
            Self::BadImage => "OCELLI_BAD_IMAGE",
            Self::BadArgument => "OCELLI_BAD_ARGUMENT",
            Self::NoDevice => "OCELLI_NO_DEVICE",
            Self::DeviceLimit => "OCELLI_DEVICE_LIMIT",
            Self::OutOfMemory => "OCELLI_OUT_OF_MEMORY",
            Self::DeviceLost => "OCELLI_DEVICE_LOST",
            Self::Cancelled => "OCELLI_CANCELLED",
            Self::Io => "OCELLI_IO",
            Self::Internal => "OCELLI_INTERNAL",
        }
    }
}

/// An error of one layer: a small enum with fields that says its kind and what the user can do.
///
/// Every layer's enum implements this and so converts into [`Error`] with `?`.
pub trait LayerError: std::error::Error + Send + Sync + 'static {
    /// The kind that callers match on.
    fn kind(&self) -> ErrorKind;
    /// What the user can do about it.
    fn remedy(&self) -> Remedy;
    /// Figures to act on, where there are any.
    fn details(&self) -> Details {
        Details::default()
    }
}

/// The error of every public call: a kind, the layer's own error as source, and a remedy.
#[derive(Debug)]
pub struct Error {
    source: Box<dyn LayerError>,
}

/// Shorthand for results with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The kind that callers match on.
    pub fn kind(&self) -> ErrorKind {
        self.source.kind()
    }

    /// The stable code, `OCELLI_…`.
    pub fn code(&self) -> &'static str {
        self.kind().code()
    }

    /// What the user can do about it.
    pub fn remedy(&self) -> Remedy {
        self.source.remedy()
    }

    /// Figures to act on, where there are any.
    pub fn details(&self) -> Details {
        self.source.details()
    }
}

impl<F: LayerError> From<F> for Error {
    fn from(fault: F) -> Self {
        Self { source: Box::new(fault) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.source()
    }
}
