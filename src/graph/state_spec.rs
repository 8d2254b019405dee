/// What a buffer of the session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateKind {
    /// The host writes it before a pass; a pass may write it for the next one.
    Input,
    /// A pass writes it; the host or another pass reads it.
    Output,
    /// Keys or values of earlier passes.
    Cache {
        /// Sequences that have a slot of their own.
        slots: usize,
    },
    /// What one pass computes once and many passes attend to.
    Memory,
    /// What learning changes.
    Parameter,
}

/// A buffer of the session `[rows, width]` as a graph declares it where it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateSpec {
    /// Passes that share a name share the buffer.
    pub name: String,
    /// What it is for.
    pub kind: StateKind,
    /// Rows that the graph needs; a buffer with more will do.
    pub rows: usize,
    /// 32-bit words of a row.
    pub width: usize,
}

impl StateSpec {
    /// Bytes of the buffer.
    pub fn bytes(&self) -> usize {
        self.rows * self.width * 4
    }
}
