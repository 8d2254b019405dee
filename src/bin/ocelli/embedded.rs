//! The small model that is part of the program.

use ocelli::format::ModelFiles;

/// The files of `web/models/tiny`.
pub struct Embedded;

macro_rules! files {
    ($($name:literal),+) => {
        &[$(($name, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/web/models/tiny/", $name)))),+]
    };
}

const FILES: &[(&str, &[u8])] = files!("ocelli.json", "tokenizer.json", "weights-00001.safetensors");

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
