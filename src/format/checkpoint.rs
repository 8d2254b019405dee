use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Deserialize;

#[cfg(feature = "npz")]
use super::big_vision::{BigVision, Strided};
use super::published::{INDEX, WEIGHTS};
use super::safetensors::{self, Entry};
use super::{CheckpointRules, FormatError, ModelFiles, TiedTensors};
use crate::base::{Result, sort_by, sort_by_key};
use crate::quant::SourceFormat;

/// The tensors of a checkpoint by their canonical names: Hugging Face's, in one file or several, or big_vision's.
#[derive(Debug)]
pub struct Checkpoint<'a> {
    tensors: BTreeMap<String, Stored<'a>>,
}

#[derive(Debug)]
struct Stored<'a> {
    file: String,
    entry: Entry,
    bytes: &'a [u8],
    /// How the elements lie; `None` is row by row.
    #[cfg(feature = "npz")]
    strided: Option<Strided>,
}

impl<'a> Stored<'a> {
    fn in_order(file: &str, entry: Entry, bytes: &'a [u8]) -> Self {
        Self {
            file: file.into(),
            entry,
            bytes,
            #[cfg(feature = "npz")]
            strided: None,
        }
    }
}

/// An archive of weights, which this build does not read.
#[cfg(not(feature = "npz"))]
fn archive_among(files: &dyn ModelFiles) -> Option<&str> {
    files.names().into_iter().find(|name| name.ends_with(".npz"))
}

/// Where an element of a tensor is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The tensor's name in it.
    pub tensor: String,
    /// Row, all axes but the first being one.
    pub row: usize,
    /// Column.
    pub column: usize,
    /// First byte in the file.
    pub byte: usize,
}

/// What a checkpoint says of one tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name in the file.
    pub name: String,
    /// As the file says, in small letters: `f32`, `bf16`, ...
    pub dtype: String,
    /// Extents, outermost first.
    pub shape: Vec<usize>,
    /// Bytes in the file.
    pub bytes: usize,
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl TensorInfo {
    fn new(entry: &Entry) -> Self {
        let (name, dtype, shape) = (entry.name.clone(), entry.dtype.to_lowercase(), entry.shape.clone());
        Self { name, dtype, shape, bytes: entry.bytes.len() }
    }
}

/// The tensors of one safetensors file, in its order.
///
/// # Errors
/// A file that contradicts itself.
pub fn tensors_of(file: &str, bytes: &[u8]) -> Result<impl Iterator<Item = TensorInfo> + use<>> {
    let mut entries = safetensors::parse(file, bytes)?;
    sort_by_key(&mut entries, |entry| entry.bytes.start);
    Ok(entries.into_iter().map(|entry| TensorInfo::new(&entry)))
}

/// The contents of a safetensors file, tensor by tensor in the order of its header.
///
/// # Errors
/// A file that contradicts itself.
pub fn contents_of<'b>(file: &str, bytes: &'b [u8]) -> Result<impl Iterator<Item = &'b [u8]> + use<'b>> {
    let entries = safetensors::parse(file, bytes)?;
    Ok(entries.into_iter().map(|entry| bytes.get(entry.bytes).unwrap_or_default()))
}

impl<'a> Checkpoint<'a> {
    /// Opens the weights and checks every header; no weight is read yet. `rules` are the architecture's.
    ///
    /// # Errors
    /// Missing or damaged files, an index that names tensors its files do not hold, or tied tensors that differ.
    pub fn open(files: &'a dyn ModelFiles, rules: &CheckpointRules) -> Result<Self> {
        let mut checkpoint = Self { tensors: BTreeMap::new() };
        #[cfg(feature = "npz")]
        match BigVision::open(files, rules)? {
            Some(archive) => checkpoint.add_archive(files, archive),
            None => checkpoint.add_published(files, rules)?,
        }
        #[cfg(not(feature = "npz"))]
        checkpoint.add_published(files, rules)?;
        for extra in rules.extra {
            let Some(bytes) = files.get(extra.file) else { continue };
            if !extra.file.ends_with(".npz") {
                checkpoint.add(extra.file, bytes, extra.prefix, rules)?;
                continue;
            }
            #[cfg(feature = "npz")]
            {
                let entries = super::npz::parse(extra.file, bytes)?;
                checkpoint.add_entries(extra.file, bytes, entries, extra.prefix, rules)?;
            }
        }
        for tied in rules.tied {
            checkpoint.tie(tied)?;
        }
        Ok(checkpoint)
    }

    /// Adds Hugging Face's weights, in one file or several.
    fn add_published(&mut self, files: &'a dyn ModelFiles, rules: &CheckpointRules) -> Result<(), FormatError> {
        let missing = |name: &str| FormatError::Missing { name: name.into(), place: files.place().into() };
        #[cfg(not(feature = "npz"))]
        if let (None, Some(name)) = (files.get(WEIGHTS).or(files.get(INDEX)), archive_among(files)) {
            return Err(FormatError::NoArchives { name: name.into(), place: files.place().into() });
        }
        if let Some(bytes) = files.get(WEIGHTS) {
            self.add(WEIGHTS, bytes, "", rules)?;
        } else {
            let index = files.get(INDEX).ok_or_else(|| missing(WEIGHTS))?;
            let index: Index = serde_json::from_slice(index)
                .map_err(|error| FormatError::Json { file: INDEX.into(), reason: error.to_string() })?;
            let mut shards: Vec<&String> = index.weight_map.values().collect();
            sort_by(&mut shards, |a, b| a.cmp(b));
            shards.dedup();
            for shard in shards {
                let bytes = files.get(shard).ok_or_else(|| missing(shard))?;
                let found = self.add(shard, bytes, "", rules)?;
                let listed = index.weight_map.iter().filter(|(_, file)| *file == shard);
                if let Some((name, _)) = listed.into_iter().find(|(name, _)| !found.contains(*name)) {
                    return Err(FormatError::Weights {
                        file: INDEX.into(),
                        what: format!("the file of {name}"),
                        found: shard.clone(),
                        expected: "a file that holds it".into(),
                    });
                }
            }
        }
        Ok(())
    }

    /// Adds big_vision's weights.
    #[cfg(feature = "npz")]
    fn add_archive(&mut self, files: &'a dyn ModelFiles, archive: BigVision) {
        let name = archive.file().to_owned();
        let all = files.get(&name).unwrap_or_default();
        for tensor in archive.into_tensors() {
            let bytes = all.get(tensor.entry.bytes.clone()).unwrap_or_default();
            let file = name.clone();
            self.tensors.insert(tensor.name, Stored { file, entry: tensor.entry, bytes, strided: tensor.strided });
        }
    }

    /// Adds the tensors of one file under a prefix; their names as the file has them.
    fn add(
        &mut self,
        file: &str,
        bytes: &'a [u8],
        prefix: &str,
        rules: &CheckpointRules,
    ) -> Result<BTreeSet<String>, FormatError> {
        self.add_entries(file, bytes, safetensors::parse(file, bytes)?, prefix, rules)
    }

    fn add_entries(
        &mut self,
        file: &str,
        bytes: &'a [u8],
        entries: Vec<Entry>,
        prefix: &str,
        rules: &CheckpointRules,
    ) -> Result<BTreeSet<String>, FormatError> {
        let mut names = BTreeSet::new();
        for entry in entries {
            let (name, range) = (format!("{prefix}{}", (rules.canonical)(&entry.name)), entry.bytes.clone());
            names.insert(entry.name.clone());
            let bytes = bytes.get(range).unwrap_or_default();
            if let Some(before) = self.tensors.insert(name.clone(), Stored::in_order(file, entry, bytes)) {
                return Err(FormatError::Weights {
                    file: file.into(),
                    what: format!("the tensor {name}"),
                    found: format!("there again, after {}", before.entry.name),
                    expected: "only one".into(),
                });
            }
        }
        Ok(names)
    }

    /// The one serves as the other where only one of them is stored; where both are they must be the same.
    fn tie(&mut self, tied: &TiedTensors) -> Result<(), FormatError> {
        let Some(stored) = self.tensors.remove(tied.tensor) else {
            return Ok(());
        };
        match self.tensors.get(tied.to) {
            Some(other) if other.bytes != stored.bytes => {
                Err(FormatError::Untied { tensor: stored.entry.name, other: other.entry.name.clone() })
            }
            Some(_) => Ok(()),
            None => {
                self.tensors.insert(tied.to.into(), stored);
                Ok(())
            }
        }
    }

    /// Every tensor, by name.
    pub fn tensors(&self) -> impl Iterator<Item = TensorInfo> {
        self.tensors.values().map(|stored| TensorInfo::new(&stored.entry))
    }

    /// Every tensor with its bytes as they are stored, by name.
    pub fn contents(&self) -> impl Iterator<Item = (TensorInfo, &'a [u8])> {
        self.tensors.values().map(|stored| (TensorInfo::new(&stored.entry), stored.bytes))
    }

    /// Extents of a tensor, outermost first.
    ///
    /// # Errors
    /// No such tensor.
    pub fn shape(&self, name: &str) -> Result<Vec<usize>> {
        Ok(self.stored(name)?.entry.shape.clone())
    }

    /// Appends rows of a tensor (all axes but the first flattened) to `out`, widened to f32.
    ///
    /// # Errors
    /// No such tensor or rows, or elements that are no floats.
    pub fn read_rows(&self, name: &str, rows: Range<usize>, out: &mut Vec<f32>) -> Result<()> {
        let stored = self.stored(name)?;
        let Stored { entry, bytes, .. } = stored;
        let format = match entry.dtype.as_str() {
            "F32" => SourceFormat::F32,
            "F16" => SourceFormat::F16,
            "BF16" => SourceFormat::Bf16,
            found => return Err(FormatError::Dtype { name: name.into(), found: found.into() }.into()),
        };
        let count = entry.shape.first().copied().unwrap_or(1);
        let width: usize = entry.shape.iter().skip(1).product();
        let row = width * format.bytes();
        let part = (rows.start <= rows.end && rows.end <= count).then(|| bytes.get(rows.start * row..rows.end * row));
        let Some(part) = part.flatten() else {
            let (first, end) = (rows.start, rows.end);
            return Err(FormatError::Rows { name: name.into(), first, end, rows: count }.into());
        };
        let at = out.len();
        out.resize(at + (rows.end - rows.start) * width, 0.0);
        #[cfg(feature = "npz")]
        if let Some(strided) = &stored.strided {
            let elements = match format.bytes() {
                2 => strided.gather::<2>(bytes, rows),
                _ => strided.gather::<4>(bytes, rows),
            };
            return Ok(format.widen(&elements, &mut out[at..])?);
        }
        Ok(format.widen(part, &mut out[at..])?)
    }

    /// Where the n-th element of a tensor is.
    ///
    /// # Errors
    /// No such tensor.
    pub fn place(&self, name: &str, n: usize) -> Result<Place> {
        let stored = self.stored(name)?;
        let Stored { file, entry, .. } = stored;
        let width = entry.shape.iter().skip(1).product::<usize>().max(1);
        let element = entry.bytes.len() / entry.shape.iter().product::<usize>().max(1);
        #[cfg(feature = "npz")]
        let at = stored.strided.as_ref().map_or(n, |strided| strided.element(n));
        #[cfg(not(feature = "npz"))]
        let at = n;
        let (row, column, byte) = (n / width, n % width, entry.bytes.start + at * element);
        Ok(Place { file: file.clone(), tensor: entry.name.clone(), row, column, byte })
    }

    fn stored(&self, name: &str) -> Result<&Stored<'a>, FormatError> {
        self.tensors.get(name).ok_or_else(|| FormatError::NoTensor { name: name.into() })
    }
}
