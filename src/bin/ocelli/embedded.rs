//! The small model that is part of the program.

use ocelli::format::ModelFiles;

use super::error::CliError;

/// The files of `web/models/tiny`.
pub struct Embedded(());

#[cfg(embedded_model)]
macro_rules! files {
    ($($name:literal),+) => {
        &[$(($name, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/web/models/tiny/", $name)))),+]
    };
}

#[cfg(embedded_model)]
const FILES: &[(&str, &[u8])] = files!("ocelli.json", "tokenizer.json", "weights-00001.safetensors");
/// Built from a package, which has no room for it.
#[cfg(not(embedded_model))]
const FILES: &[(&str, &[u8])] = &[];

impl Embedded {
    /// The model, if the program was built with it.
    pub fn open() -> Result<Self, CliError> {
        if cfg!(embedded_model) { Ok(Self(())) } else { Err(CliError::NoEmbedded) }
    }
}

impl ModelFiles for Embedded {
    fn get(&self, name: &str) -> Option<&[u8]> {
        FILES.iter().find(|(file, _)| *file == name).map(|(_, bytes)| *bytes)
    }

    fn place(&self) -> &str {
        "the built-in model"
    }

    fn names(&self) -> Vec<&str> {
        FILES.iter().map(|(name, _)| *name).collect()
    }
}
