//! The files of weights as Hugging Face publishes them: one, or several and an index.

#[cfg(feature = "npz")]
use super::ModelFiles;

/// All weights in one file.
pub const WEIGHTS: &str = "model.safetensors";
/// Which file holds which tensor.
pub const INDEX: &str = "model.safetensors.index.json";

/// Whether there are any.
#[cfg(feature = "npz")]
pub fn has_weights(files: &dyn ModelFiles) -> bool {
    files.get(WEIGHTS).or(files.get(INDEX)).is_some()
}
