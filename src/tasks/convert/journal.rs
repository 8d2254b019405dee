//! What an interrupted conversion left, and whether it was of the same source.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::sums::hex;
use super::ConvertOptions;
use crate::format::pack::{FORMAT, FileEntry, MANIFEST, Manifest, StoredWeight};
use crate::format::{Checkpoint, ModelFiles};

/// Where an interrupted conversion is found again; gone when it is done.
pub const JOURNAL: &str = ".ocelli-convert.json";

/// What a conversion has done so far, and of what.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    source: String,
    /// Shards that are complete, by their names.
    pub done: BTreeMap<String, FileEntry>,
    /// Files of the pack that was there before.
    #[serde(default)]
    pub replaced: BTreeSet<String>,
}

impl Journal {
    /// What an earlier conversion of the same source left in a folder, or a journal of nothing. Whether the shards are
    /// still what they were is for [`is_whole`] to say.
    pub fn open(folder: &Path, source: String) -> Self {
        let found = fs::read(folder.join(JOURNAL)).ok().and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        let Self { source: before, done, mut replaced } = found.unwrap_or_default();
        let pack = fs::read(folder.join(MANIFEST)).ok().and_then(|bytes| Manifest::parse(&bytes).ok());
        replaced.extend(pack.iter().flat_map(Manifest::files).map(|entry| entry.file.clone()));
        let done = if before == source { done } else { BTreeMap::new() };
        Self { source, done, replaced }
    }
}

/// Whether a file has the length and the sum that were noted when it was written.
pub fn is_whole(folder: &Path, entry: &FileEntry) -> bool {
    let path = folder.join(&entry.file);
    fs::metadata(&path).is_ok_and(|data| data.len() == entry.bytes) && sum(&path).is_ok_and(|sum| sum == entry.sha256)
}

fn sum(path: &Path) -> io::Result<String> {
    let (mut file, mut sum, mut buffer) = (File::open(path)?, Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&sum.finalize())),
            read => sum.update(&buffer[..read]),
        }
    }
}

/// Pieces of a tensor that are read to tell it from others, and bytes of each.
const SAMPLES: usize = 8;
const SAMPLE_BYTES: usize = 4096;

/// What must be the same for an interrupted conversion to go on: options, configuration, names, shapes and parts, length and
/// time of every weights file, and samples of every tensor. Reading all of the weights would take as long as converting
/// them.
pub fn fingerprint(
    files: &dyn ModelFiles,
    checkpoint: &Checkpoint<'_>,
    config: &str,
    weights: &[StoredWeight],
    parts: &[Range<usize>],
    options: &ConvertOptions,
) -> String {
    let mut text = format!("{FORMAT} {config} {weights:?} {parts:?} {}", options.shard_bytes);
    for name in files.names() {
        if name.ends_with(".safetensors") || name.ends_with(".npz") {
            let written = files.written(name).and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            // Writing to a string cannot fail.
            let _ = write!(text, " {name} {} {written:?}", files.get(name).map_or(0, <[u8]>::len));
        }
    }
    let mut sum = Sha256::new_with_prefix(text);
    for (tensor, bytes) in checkpoint.contents() {
        sum.update(format!("{tensor:?}"));
        samples(bytes).for_each(|sample| sum.update(sample));
    }
    hex(&sum.finalize())
}

/// Pieces at even distances, the first and the last bytes among them.
fn samples(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let last = bytes.len().saturating_sub(SAMPLE_BYTES);
    (0..SAMPLES).map(move |n| {
        let first = last / (SAMPLES - 1) * n + last % (SAMPLES - 1) * n / (SAMPLES - 1);
        &bytes[first..bytes.len().min(first + SAMPLE_BYTES)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{CheckpointRules, MemoryFiles};
    use crate::tensor::Dtype;

    #[test]
    fn other_borders_between_parts_are_another_source() {
        let mut files = MemoryFiles::new();
        files.insert("model.safetensors", [&2u64.to_le_bytes()[..], b"{}"].concat());
        let checkpoint = Checkpoint::open(&files, &CheckpointRules::default()).expect("a checkpoint");
        let options = ConvertOptions { dtype: Dtype::Q8, shard_bytes: 64, keep_f16: Vec::new(), preset: None };
        let of = |parts: &[Range<usize>]| fingerprint(&files, &checkpoint, "{}", &[], parts, &options);
        assert_eq!(of(&[0..3, 3..5]), of(&[0..3, 3..5]));
        assert_ne!(of(&[0..3, 3..5]), of(&[0..2, 2..5]));
    }

    #[test]
    fn samples_reach_from_the_first_byte_to_the_last() {
        let bytes: Vec<u8> = (0..100_003u32).map(|n| n as u8).collect();
        let places: Vec<usize> = samples(&bytes).map(|one| one.as_ptr() as usize - bytes.as_ptr() as usize).collect();
        assert_eq!((places[0], places[SAMPLES - 1]), (0, bytes.len() - SAMPLE_BYTES));
        assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{places:?}");
        assert!(samples(&bytes[..100]).all(|sample| sample == &bytes[..100]));
        assert!(samples(&[]).all(<[u8]>::is_empty));
    }
}
