//! Floor 5: model files. A checkpoint is a folder of named files, on disk or in memory; its tensors are found by the
//! names that published PaliGemma checkpoints have, whichever release wrote it.

mod checkpoint;
#[cfg(feature = "cli")]
mod directory;
mod error;
mod files;
mod json;
mod names;
#[cfg(feature = "cli")]
mod npz;
pub mod pack;
mod safetensors;
#[cfg(test)]
mod tests;

pub use checkpoint::{Checkpoint, Place, TensorInfo, tensors_of};
#[cfg(feature = "cli")]
pub use directory::Directory;
pub use error::FormatFault;
pub use files::{MemoryFiles, ModelFiles};
pub use json::read_json;
