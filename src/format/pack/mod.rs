//! A model as ocelli keeps and serves it: a folder that any static host can serve and any tool can open.
//!
//! `ocelli.json` is the [`Manifest`]. The shards that it lists are plain safetensors files whose tensors are weights of
//! the runtime in the order in which a pass uses them, laid out as devices hold them (see
//! [`Layout`](crate::quant::Layout)):
//!
//! | dtype | tensors | shape |
//! | --- | --- | --- |
//! | f32, f16 | `NAME` F32 or F16 | `[rows, K']` |
//! | q8 | `NAME.data` I8, `NAME.scales` F16 | `[rows, K']`, `[rows, K'/32]` |
//! | q4 | `NAME.data` U8, `NAME.scales` F16 | `[rows, K'/2]`, `[rows, K'/32]` |
//!
//! A matrix larger than a shard is split by rows; its parts are called `NAME@FIRST` by their first row. Tensors whose
//! bytes are no whole words stand last in their shard, so that all others are aligned to 4.

mod header;
mod manifest;
mod plan;
mod shard;

pub use header::{StoredTensor, header};
pub use manifest::{FORMAT, FileEntry, MANIFEST, Manifest};
pub use plan::{Part, StoredWeight, shards};
pub use shard::{PackedRows, read_shard};
