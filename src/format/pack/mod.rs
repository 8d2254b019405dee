//! A model as ocelli keeps and serves it: a folder that any static host can serve and any tool can open.
//!
//! `ocelli.json` is the [`Manifest`], of format 2:
//!
//! | field | what it says |
//! | --- | --- |
//! | `format` | 2 |
//! | `architecture` | the architecture's name, as in `config` |
//! | `dtype`, `f16` | how matrices are stored, and those that are f16 all the same |
//! | `config`, `processor`, `generation` | the model's `config.json`, `preprocessor_config.json`, `generation_config.json` |
//! | `tokenizer` | a file; none where the architecture reads no text |
//! | `licence`, `notices` | files with the terms of the weights |
//! | `parts` | `{ name, shards }` in order of execution: a part of the model, and the files of its weights |
//!
//! A file is `{ file, bytes, sha256 }`. Every shard belongs to one part, so that whoever needs one part alone fetches no
//! other; a weight that several parts use is the first one's. Format 1 had one list `shards` for all parts of a PaliGemma
//! and the flag `mask_decoder`; it is read as one group of all those parts.
//!
//! Shards are plain safetensors files whose tensors are weights of the runtime in the order in which a pass uses them,
//! laid out as devices hold them (see [`Layout`](crate::quant::Layout)):
//!
//! | dtype | tensors | shape |
//! | --- | --- | --- |
//! | f32, f16 | `NAME` F32 or F16 | `[rows, K']` |
//! | q8 | `NAME.data` I8, `NAME.scales` F16 | `[rows, K']`, `[rows, K'/32]` |
//! | q4 | `NAME.data` U8, `NAME.scales` F16 | `[rows, K'/2]`, `[rows, K'/32]` |
//!
//! A matrix larger than a shard is split by rows; its parts are called `NAME@FIRST` by their first row. Tensors whose
//! bytes are no whole words stand last in their shard, so that all others are aligned to 4.

mod format1;
mod group;
mod header;
mod manifest;
mod plan;
mod shard;

pub use group::WeightGroup;
pub use header::{StoredTensor, header};
pub use manifest::{FORMAT, FileEntry, MANIFEST, Manifest};
pub use plan::{Part, StoredWeight, shards};
pub use shard::{PackedRows, read_shard};
