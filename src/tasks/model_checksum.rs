use sha2::{Digest, Sha256};

use super::load::file;
use super::sums::hex;
use crate::base::Result;
use crate::format::pack::{MANIFEST, Manifest};
use crate::format::{ModelFiles, contents_of};

/// Bytes of each tensor that are looked at: enough to tell trainings apart, and soon read.
const LOOKED_AT: usize = 4096;

/// The checksum by which a model is known again in whatever dtype it was packed: in hexadecimal digits, SHA-256 over
/// `config.json` and, file by file in order of their names, the headers of the weights and the first 4 KiB of every
/// tensor. A pack has that of its source; one without has the SHA-256 of its manifest.
///
/// # Errors
/// Missing or damaged files.
pub fn model_checksum(files: &dyn ModelFiles) -> Result<String> {
    if let Some(manifest) = files.get(MANIFEST) {
        return Ok(match Manifest::parse(manifest)?.checksum {
            Some(checksum) => checksum,
            None => hex(&Sha256::digest(manifest)),
        });
    }
    let mut sum = Sha256::new();
    if files.get("config.json").is_some() {
        sum.update(file(files, "config.json")?);
    }
    for name in files.names().into_iter().filter(|name| name.ends_with(".safetensors")) {
        let bytes = file(files, name)?;
        let tensors = contents_of(name, bytes)?;
        let length = bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length));
        sum.update(&bytes[..(8 + length as usize).min(bytes.len())]);
        tensors.for_each(|tensor| sum.update(&tensor[..LOOKED_AT.min(tensor.len())]));
    }
    // An archive ends with the names, lengths and CRCs of all that is in it.
    for name in files.names().into_iter().filter(|name| name.ends_with(".npz")) {
        let bytes = file(files, name)?;
        sum.update(&bytes[bytes.len().saturating_sub(1 << 16)..]);
    }
    Ok(hex(&sum.finalize()))
}
