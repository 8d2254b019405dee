//! Whether a pack is what its manifest says.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::load::file;
use super::sums::hex;
use crate::base::{ErrorKind, LayerError, Remedy, Result};
use crate::format::ModelFiles;
use crate::format::pack::{MANIFEST, Manifest};
use crate::session::{LoadProgress, PackCheck, open_pack};

/// What a pack was found to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Files whose length and sum are right; the manifest is not among them.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

#[derive(Debug, thiserror::Error)]
enum VerifyError {
    #[error("{file} has {found} bytes, and the manifest says {expected}")]
    Length { file: String, found: u64, expected: u64 },
    #[error("{file} has the sha-256 {found}, and the manifest says {expected}")]
    Sum { file: String, found: String, expected: String },
}

impl LayerError for VerifyError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::BadModelFile
    }

    fn remedy(&self) -> Remedy {
        "Copy or download this file again, or convert the model again.".into()
    }
}

/// Reads every file of a pack: lengths, sums, that the shards hold all weights, and that the tokenizer loads.
///
/// # Errors
/// The first thing that is wrong, or an error of `progress`.
pub fn verify(files: &dyn ModelFiles, progress: &mut dyn FnMut(LoadProgress) -> Result<()>) -> Result<Verified> {
    let manifest = Manifest::parse(file(files, MANIFEST)?)?;
    let total: u64 = manifest.files().map(|entry| entry.bytes).sum();
    let architecture = open_pack(&manifest)?;
    let mut check = PackCheck::new(&manifest)?;
    let mut done = 0;
    let shards = manifest.shards().count();
    for (n, entry) in manifest.files().enumerate() {
        let bytes = file(files, &entry.file)?;
        let name = || entry.file.clone();
        if bytes.len() as u64 != entry.bytes {
            let (found, expected) = (bytes.len() as u64, entry.bytes);
            return Err(VerifyError::Length { file: name(), found, expected }.into());
        }
        let found = hex(&Sha256::digest(bytes));
        if found != entry.sha256 {
            return Err(VerifyError::Sum { file: name(), found, expected: entry.sha256.clone() }.into());
        }
        if n < shards {
            check.push(&entry.file, bytes)?;
        } else if Some(entry) == manifest.tokenizer.as_ref() {
            architecture.language(bytes)?;
        }
        done += entry.bytes;
        progress(LoadProgress { done: done as usize, total: total as usize })?;
    }
    check.finish()?;
    Ok(Verified { files: manifest.files().count(), bytes: total })
}
