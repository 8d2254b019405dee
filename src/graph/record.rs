//! A recording: everything a player needs to run one pass, as plain data.
//!
//! A recording names its buffers by index. *External* buffers (weights, KV cache, inputs, results) belong to the
//! session, which hands them over when it loads the recording on a player; *scratch* buffers are the planner's and
//! may be shared between recordings, because only one plays at a time and none keeps anything in them.
//!
//! What a recording holds is fixed. All that changes from one play to the next is the [`Step`](crate::kernels::Step)
//! and the contents of external buffers, so a decode step is recorded once and replayed for every token.

pub use super::record_check::{External, RecordingError};
use crate::kernels::Dispatch;

/// One pass over a device, planned and ready to be loaded on a player.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    /// What pass this is, for labels and profiles: `vision`, `prefill 272`, `decode`.
    pub name: String,
    /// The buffers that commands refer to by index.
    pub buffers: Vec<BufferDecl>,
    /// What to do, in order.
    pub commands: Vec<Command>,
}

/// A buffer of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BufferDecl {
    /// Size in bytes; a multiple of 4, never 0.
    pub bytes: usize,
    /// Who owns it.
    pub role: Role,
    /// A label for dumps and debuggers.
    pub label: String,
}

/// Who owns a buffer of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The player's: contents are undefined when the recording starts.
    Scratch,
    /// The session's: the n-th of the externals given when the recording is loaded.
    External(u32),
}

/// One thing a player does.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Runs a kernel. Sees everything that earlier commands wrote.
    Dispatch(Dispatch),
    /// Copies bytes between two different buffers; offsets and size are multiples of 4.
    Copy {
        /// Index of the buffer read.
        from: u32,
        /// First byte read.
        from_offset: usize,
        /// Index of the buffer written.
        to: u32,
        /// First byte written.
        to_offset: usize,
        /// Bytes copied.
        bytes: usize,
    },
    /// A named point, such as the start of a layer: players time, yield and check for cancellation here.
    Mark(String),
}

/// A range of an external buffer to read back after a play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// The n-th external of the recording.
    pub external: u32,
    /// First byte; a multiple of 4.
    pub offset: usize,
    /// Bytes; a multiple of 4.
    pub bytes: usize,
}

/// A buffer on a player.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BufferId(pub u32);

/// A recording loaded on a player.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlanId(pub u32);

/// Bytes that a player holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlayerMemory {
    /// In buffers that the session made.
    pub buffers: usize,
    /// In scratch buffers, shared by all plans.
    pub scratch: usize,
}
