//! Floor 5: model files. A checkpoint is a folder of named files, on disk or in memory; its tensors are found by
//! canonical names, whichever release wrote it: an architecture says in [`CheckpointRules`] what is peculiar to its
//! own.

#[cfg(feature = "npz")]
mod big_vision;
mod checkpoint;
#[cfg(feature = "mmap")]
mod directory;
mod error;
mod files;
mod json;
mod legal;
#[cfg(feature = "npz")]
mod npz;
pub mod pack;
mod published;
mod rules;
mod safetensors;
#[cfg(test)]
mod tests;

#[cfg(feature = "npz")]
pub use big_vision::BigVision;
pub use checkpoint::{Checkpoint, Place, TensorInfo, contents_of, tensors_of};
#[cfg(feature = "mmap")]
pub use directory::Directory;
pub use error::FormatError;
pub use files::{MemoryFiles, ModelFiles};
pub use json::read_json;
pub use legal::is_legal_text;
#[cfg(feature = "npz")]
pub use rules::{ArchiveRules, Rule, Target, Variant};
pub use rules::{CheckpointRules, ExtraFile, TiedTensors};
