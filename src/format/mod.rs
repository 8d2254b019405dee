//! Floor 5: model files. A checkpoint is a folder of named files, on disk or in memory; its tensors are found by
//! canonical names, whichever release wrote it: an architecture says in [`CheckpointRules`] what is peculiar to its own.

#[cfg(feature = "cli")]
mod big_vision;
mod checkpoint;
#[cfg(feature = "cli")]
mod directory;
mod error;
mod files;
mod json;
#[cfg(feature = "cli")]
mod legal;
#[cfg(feature = "cli")]
mod npz;
pub mod pack;
mod published;
mod rules;
mod safetensors;
#[cfg(test)]
mod tests;

#[cfg(feature = "cli")]
pub use big_vision::BigVision;
pub use checkpoint::{Checkpoint, Place, TensorInfo, tensors_of};
#[cfg(feature = "cli")]
pub use directory::Directory;
pub use error::FormatFault;
pub use files::{MemoryFiles, ModelFiles};
pub use json::read_json;
#[cfg(feature = "cli")]
pub use legal::is_legal_text;
#[cfg(feature = "cli")]
pub use rules::{ArchiveRules, Rule, Target, Variant};
pub use rules::{CheckpointRules, ExtraFile, TiedTensors};
