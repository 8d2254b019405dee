//! The files of a pack on their way to a folder.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::super::sums::hex;
use super::error::ConvertError;
use crate::base::Result;
use crate::format::Checkpoint;
use crate::format::pack::{FileEntry, Part, StoredTensor, StoredWeight, header};
use crate::graph::WeightSpec;
use crate::session::{LoadProgress, chunks, encode};

/// What a file is called until it is complete.
const PARTIAL: &str = ".part";

/// Writes into one folder.
pub struct Writer<'a> {
    pub folder: &'a Path,
    pub checkpoint: &'a Checkpoint<'a>,
    pub specs: &'a [WeightSpec],
    pub weights: &'a [StoredWeight],
    pub at: LoadProgress,
    pub progress: &'a mut dyn FnMut(LoadProgress) -> Result<()>,
}

impl Writer<'_> {
    /// Encodes the parts of one shard and writes them.
    pub fn shard(&mut self, name: &str, parts: &[Part]) -> Result<FileEntry> {
        let (first, tensors) = header(self.weights, parts);
        let partial = self.folder.join(format!("{name}{PARTIAL}"));
        let failed = ConvertError::writing(self.folder.join(name));
        let mut out = Summed::new(File::create(&partial).map_err(&failed)?);
        out.write(&first).map_err(&failed)?;
        // Scales are known with their elements and come later.
        let mut waiting: HashMap<(usize, usize), Vec<u8>> = HashMap::new();
        for tensor in &tensors {
            let StoredTensor { weight, rows, scales, .. } = tensor;
            let place = (*weight, rows.start);
            if *scales {
                out.write(&waiting.remove(&place).unwrap_or_default()).map_err(&failed)?;
                continue;
            }
            let (spec, dtype) = (&self.specs[*weight], self.weights[*weight].dtype);
            let held = waiting.entry(place).or_default();
            for chunk in chunks(spec) {
                let chunk = chunk.start.max(rows.start)..chunk.end.min(rows.end);
                if chunk.is_empty() {
                    continue;
                }
                let (data, scales) = encode(spec, chunk, dtype, self.checkpoint)?;
                out.write(&data).map_err(&failed)?;
                held.extend_from_slice(&scales);
                self.at.done += data.len() + scales.len();
                (self.progress)(self.at)?;
            }
        }
        let (bytes, sha256) = out.finish().map_err(&failed)?;
        fs::rename(&partial, self.folder.join(name)).map_err(&failed)?;
        Ok(FileEntry { file: name.into(), bytes, sha256 })
    }

    /// Counts bytes that are there already.
    pub fn advance(&mut self, bytes: usize) -> Result<()> {
        self.at.done += bytes;
        (self.progress)(self.at)
    }

    /// Writes a small file at once, or leaves what was there.
    pub fn whole(&self, name: &str, bytes: &[u8]) -> Result<FileEntry> {
        let partial = self.folder.join(format!("{name}{PARTIAL}"));
        let write = || {
            fs::write(&partial, bytes)?;
            fs::rename(&partial, self.folder.join(name))
        };
        write().map_err(ConvertError::writing(self.folder.join(name)))?;
        Ok(FileEntry { file: name.into(), bytes: bytes.len() as u64, sha256: hex(&Sha256::digest(bytes)) })
    }
}

/// The name of shard `n`, counted from 0.
pub fn shard_name(n: usize) -> String {
    format!("weights-{:05}.safetensors", n + 1)
}

/// Whether a file is called as a shard of a pack is.
pub fn is_shard(name: &str) -> bool {
    let digits = name.strip_prefix("weights-").and_then(|rest| rest.strip_suffix(".safetensors"));
    digits.is_some_and(|digits| digits.len() >= 5 && digits.bytes().all(|digit| digit.is_ascii_digit()))
}

/// What a conversion that was killed was writing, if a file is called so.
pub fn part_of(name: &str) -> Option<&str> {
    name.strip_suffix(PARTIAL)
}

/// Removes a file if it is there.
pub fn remove(path: &Path) -> Result<(), ConvertError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ConvertError::writing(path)(error)),
        _ => Ok(()),
    }
}

/// A file whose sum is known when it is written.
struct Summed {
    out: BufWriter<File>,
    sum: Sha256,
    bytes: u64,
}

impl Summed {
    fn new(file: File) -> Self {
        Self { out: BufWriter::new(file), sum: Sha256::new(), bytes: 0 }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum.update(bytes);
        self.bytes += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    fn finish(mut self) -> io::Result<(u64, String)> {
        self.out.flush()?;
        Ok((self.bytes, hex(&self.sum.finalize())))
    }
}
