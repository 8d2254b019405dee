//! Floor 4: a model as a graph of operations, and its way to a [`Recording`].
//!
//! [`Graph`] is built by a model in terms of whole operations; [`fuse`] merges neighbours that one kernel can do;
//! [`lower`] turns every node into dispatches over virtual tensors, by chunks of rows where a value is too large for a
//! binding; the planner lays those tensors into as few shared buffers as their lifetimes allow. Each stage is a pure
//! function of the one before, and each prints itself as text.

mod dump;
mod flop;
mod fuse;
#[expect(clippy::module_inception, reason = "the file of `Graph` is called as what it holds")]
mod graph;
mod lower;
mod plan;
pub mod record;
mod record_check;
mod split;
mod state_spec;
#[cfg(test)]
mod tests;
mod weight_spec;
mod weights;

pub use crate::ops::{Op, ShapeError, Value, WeightId};
pub use fuse::{PATTERNS, Pattern, fuse};
pub use graph::{Graph, Node, Origin};
pub use lower::lower;
pub use plan::{ExternalKey, Plan, WeightPart};
pub use record::{BufferDecl, Command, Read, Recording, Role};
pub use state_spec::{StateKind, StateSpec};
pub use weight_spec::{Source, Storage, WeightSpec};
pub use weights::{WeightLayout, WeightTable};
