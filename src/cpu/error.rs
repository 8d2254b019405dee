use crate::base::{ErrorKind, LayerError, Remedy, Setting};
use crate::graph::record::RecordingError;

/// Why the CPU player could not do what it was asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CpuError {
    /// The system gave no memory for a buffer.
    #[error("no memory for {label}: {bytes} bytes asked for, {held} bytes already held")]
    OutOfMemory {
        /// What the buffer is for.
        label: String,
        /// Bytes asked for.
        bytes: usize,
        /// Bytes that the player holds already.
        held: usize,
    },
    /// A buffer is larger than the player was told to allow.
    #[error("{what} needs a buffer of {bytes} bytes, and the limit is {limit}")]
    TooLarge {
        /// The kernel that binds it, or what it is for.
        what: String,
        /// Bytes asked for.
        bytes: usize,
        /// The limit in force.
        limit: usize,
    },
    /// A buffer or plan that does not exist, or no longer.
    #[error("there is no {what} {id}")]
    Missing {
        /// `buffer`, `plan` or `external`.
        what: &'static str,
        /// Its number.
        id: u32,
    },
    /// A range lies outside its buffer or is not a multiple of four bytes.
    #[error("{what}: bytes {offset}..{offset}+{bytes} of a buffer of {size}")]
    BadRange {
        /// What was being done.
        what: &'static str,
        /// First byte.
        offset: usize,
        /// Bytes.
        bytes: usize,
        /// The buffer's size.
        size: usize,
    },
    /// A recording that contradicts the kernel table, its own buffers or the externals it was given.
    #[error(transparent)]
    BadRecording(#[from] RecordingError),
    /// A dispatch that its kernel cannot run.
    #[error("{kernel}: {what}: expected {expected}, found {found}")]
    BadDispatch {
        /// The kernel's name.
        kernel: &'static str,
        /// What does not agree.
        what: &'static str,
        /// What the kernel or its parameters say.
        expected: usize,
        /// What the dispatch has.
        found: usize,
    },
    /// A kernel was asked for more elements than a bound buffer has.
    #[error("{kernel}: binding {binding} needs {needed} bytes and has {found}")]
    BufferTooSmall {
        /// The kernel.
        kernel: &'static str,
        /// Index of the binding.
        binding: usize,
        /// Bytes needed.
        needed: usize,
        /// Bytes there.
        found: usize,
    },
    /// A step goes beyond what its plan or KV cache holds.
    #[error("{kernel}: {what} is {found}, and at most {limit} fits")]
    BadStep {
        /// The kernel.
        kernel: &'static str,
        /// Which value.
        what: &'static str,
        /// The value.
        found: usize,
        /// The largest that fits.
        limit: usize,
    },
    /// The play was cancelled before it ended.
    #[error("the work was cancelled")]
    Cancelled,
}

impl LayerError for CpuError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::OutOfMemory { .. } => ErrorKind::OutOfMemory,
            Self::TooLarge { .. } => ErrorKind::DeviceLimit,
            Self::BadStep { .. } => ErrorKind::BadArgument,
            Self::Cancelled => ErrorKind::Cancelled,
            Self::Missing { .. }
            | Self::BadRange { .. }
            | Self::BadRecording(_)
            | Self::BadDispatch { .. }
            | Self::BufferTooSmall { .. } => ErrorKind::Internal,
        }
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::OutOfMemory { .. } => Remedy::of([
                "Free memory, or use a smaller ".into(),
                Setting::Dtype(None).into(),
                ", such as q8 or q4.".into(),
            ]),
            Self::TooLarge { .. } => Remedy::of([
                "Use a larger ".into(),
                Setting::MaxBinding.into(),
                ", or let the weights be split further.".into(),
            ]),
            Self::BadStep { .. } => "Use a shorter prompt or fewer new tokens.".into(),
            Self::Cancelled => "Start again when ready.".into(),
            Self::Missing { .. }
            | Self::BadRange { .. }
            | Self::BadRecording(_)
            | Self::BadDispatch { .. }
            | Self::BufferTooSmall { .. } => {
                "This is a defect of the library: report it with the model and the call.".into()
            }
        }
    }
}
