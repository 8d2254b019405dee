//! From a checkpoint to a pack, tensor by tensor: what is held at a time does not grow with the model.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use glob::Pattern;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::load::{file, optional_json, tokenizer_of};
use super::sums::hex;
use crate::base::{ErrorKind, Fault, Result};
use crate::format::pack::{FORMAT, FileEntry, MANIFEST, Manifest, Part, StoredTensor, StoredWeight, header, shards};
use crate::format::{Checkpoint, ModelFiles, read_json};
use crate::models::paligemma::PaliGemmaConfig;
use crate::models::{Form, WeightSpec, mask_decoder};
use crate::session::{LoadProgress, check_shapes, chunks, encode, weight_specs};
use crate::tensor::Dtype;
use crate::text::{COMPACT, JSON};

/// How a pack is made.
#[derive(Debug, Clone)]
pub struct ConvertOptions {
    /// How matrices are stored.
    pub dtype: Dtype,
    /// Most bytes of a shard, where rows are not larger.
    pub shard_bytes: usize,
    /// Matrices that stay f16: patterns of their names with `*` and `?`.
    pub keep_f16: Vec<String>,
}

/// What a conversion came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Converted {
    /// Files of the pack.
    pub files: usize,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Shards that an interrupted conversion had left complete.
    pub kept: usize,
}

/// What can go wrong on the way to a pack.
#[derive(Debug, thiserror::Error)]
enum ConvertFault {
    #[error("cannot write {}: {reason}", .path.display())]
    Write { path: PathBuf, reason: io::Error },
    #[error("{pattern:?} is no pattern of names: {reason}")]
    Pattern { pattern: String, reason: String },
    #[error("no matrix is called {0:?}")]
    NoMatch(String),
    #[error("{0} is a pack already")]
    Pack(String),
}

impl Fault for ConvertFault {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Write { .. } => ErrorKind::Io,
            Self::Pattern { .. } | Self::NoMatch(_) | Self::Pack(_) => ErrorKind::BadArgument,
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Write { .. } => "Check that the folder may be written to and has room.",
            Self::Pattern { .. } | Self::NoMatch(_) => {
                "Name weights as `ocelli inspect` does for a pack, such as `decoder.embed` or `vision.*`."
            }
            Self::Pack(_) => "Convert from the checkpoint that it was made of.",
        }
        .into()
    }
}

/// Where an interrupted conversion is found again; gone when it is done.
const JOURNAL: &str = ".ocelli-convert.json";

/// What a conversion has done so far, and of what.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Journal {
    source: String,
    done: BTreeMap<String, FileEntry>,
}

/// Writes a pack into `folder`, which is made if it is not there. The same source gives the same bytes.
///
/// A conversion that was interrupted goes on where it was. `progress` counts bytes written, and ends the work with an
/// error of its own.
///
/// # Errors
/// A source that cannot be loaded, patterns that name nothing, a folder that cannot be written.
pub fn convert(
    files: &dyn ModelFiles,
    folder: &Path,
    options: &ConvertOptions,
    progress: &mut dyn FnMut(LoadProgress) -> Result<()>,
) -> Result<Converted> {
    if files.get(MANIFEST).is_some() {
        return Err(ConvertFault::Pack(files.place().into()).into());
    }
    let json = read_json(files, "config.json")?;
    let config = PaliGemmaConfig::from_hf(&json)?;
    let checkpoint = Checkpoint::open(files)?;
    let specs = weight_specs(&config, &checkpoint);
    check_shapes(&specs, &checkpoint)?;
    let tokenizer = file(files, JSON)?;
    let tokenizer = tokenizer_of(&config, tokenizer)?.compact(&Sha256::digest(tokenizer).into());
    let f16 = kept(&specs, options)?;
    let weights: Vec<StoredWeight> = specs
        .iter()
        .map(|spec| {
            let dtype = match spec.form {
                Form::Exact => Dtype::F32,
                Form::Matrix if f16.contains(&spec.name) => Dtype::F16,
                Form::Matrix => options.dtype,
            };
            StoredWeight { name: spec.name.clone(), rows: spec.rows, k: spec.k, dtype }
        })
        .collect();
    fs::create_dir_all(folder).map_err(|reason| ConvertFault::Write { path: folder.into(), reason })?;
    let mut writer = Writer {
        folder,
        checkpoint: &checkpoint,
        specs: &specs,
        weights: &weights,
        at: LoadProgress { done: 0, total: weights.iter().map(|weight| weight.bytes(weight.rows)).sum() },
        progress,
    };
    let mut journal = writer.journal(&fingerprint(&checkpoint, &json.to_string(), &weights, options))?;
    let kept = journal.done.len();
    let mut entries = Vec::new();
    for (n, parts) in shards(&weights, options.shard_bytes).iter().enumerate() {
        let name = format!("weights-{:05}.safetensors", n + 1);
        if let Some(done) = journal.done.get(&name) {
            entries.push(done.clone());
            writer.advance(parts.iter().map(|part| weights[part.weight].bytes(part.rows.len())).sum())?;
            continue;
        }
        let entry = writer.shard(&name, parts)?;
        entries.push(entry.clone());
        journal.done.insert(name, entry);
        writer.whole(JOURNAL, &serde_json::to_vec(&journal).unwrap_or_default())?;
    }
    let licence = ["LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE"].iter().find_map(|name| files.get(name));
    let manifest = Manifest {
        format: FORMAT,
        dtype: options.dtype,
        f16,
        config: json,
        processor: optional_json(files, "preprocessor_config.json")?,
        generation: optional_json(files, "generation_config.json")?,
        mask_decoder: checkpoint.shape(mask_decoder::CODEBOOK_TENSOR).is_ok(),
        tokenizer: writer.whole(COMPACT, &tokenizer)?,
        licence: licence.map(|text| writer.whole("LICENSE", text)).transpose()?,
        shards: entries,
    };
    // Last: a folder with a manifest is complete.
    let mut text = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    text.push(b'\n');
    let manifest_bytes = writer.whole(MANIFEST, &text)?.bytes;
    let journal = folder.join(JOURNAL);
    fs::remove_file(&journal).map_err(|reason| ConvertFault::Write { path: journal, reason })?;
    let bytes = manifest.files().map(|file| file.bytes).sum::<u64>() + manifest_bytes;
    Ok(Converted { files: manifest.files().count() + 1, bytes, kept })
}

/// The matrices that stay f16; every pattern must name some.
fn kept(specs: &[WeightSpec], options: &ConvertOptions) -> Result<Vec<String>, ConvertFault> {
    let mut kept = Vec::new();
    for text in &options.keep_f16 {
        let pattern = Pattern::new(text)
            .map_err(|error| ConvertFault::Pattern { pattern: text.clone(), reason: error.to_string() })?;
        let matrices = specs.iter().filter(|spec| spec.form == Form::Matrix && pattern.matches(&spec.name));
        let before = kept.len();
        kept.extend(matrices.map(|spec| spec.name.clone()));
        if kept.len() == before {
            return Err(ConvertFault::NoMatch(text.clone()));
        }
    }
    kept.sort();
    kept.dedup();
    Ok(kept)
}

/// What must be the same for an interrupted conversion to go on.
fn fingerprint(
    checkpoint: &Checkpoint<'_>,
    config: &str,
    weights: &[StoredWeight],
    options: &ConvertOptions,
) -> String {
    let tensors: Vec<_> = checkpoint.tensors().collect();
    let text = format!("{config} {tensors:?} {weights:?} {}", options.shard_bytes);
    hex(&Sha256::digest(text.as_bytes()))
}

struct Writer<'a> {
    folder: &'a Path,
    checkpoint: &'a Checkpoint<'a>,
    specs: &'a [WeightSpec],
    weights: &'a [StoredWeight],
    at: LoadProgress,
    progress: &'a mut dyn FnMut(LoadProgress) -> Result<()>,
}

impl Writer<'_> {
    /// What an earlier conversion of the same source left complete.
    fn journal(&self, source: &str) -> Result<Journal> {
        let empty = Journal { source: source.into(), done: BTreeMap::new() };
        let Ok(bytes) = fs::read(self.folder.join(JOURNAL)) else { return Ok(empty) };
        let Some(mut found) = serde_json::from_slice::<Journal>(&bytes).ok().filter(|found| found.source == source)
        else {
            return Ok(empty);
        };
        let held = |name: &str| fs::metadata(self.folder.join(name)).map_or(0, |data| data.len());
        found.done.retain(|name, entry| held(name) == entry.bytes);
        Ok(found)
    }

    fn shard(&mut self, name: &str, parts: &[Part]) -> Result<FileEntry> {
        let (first, tensors) = header(self.weights, parts);
        let partial = self.folder.join(format!("{name}.part"));
        let failed = |reason| ConvertFault::Write { path: self.folder.join(name), reason };
        let mut out = Summed::new(File::create(&partial).map_err(failed)?);
        out.write(&first).map_err(failed)?;
        // Scales are known with their elements and come later.
        let mut waiting: HashMap<(usize, usize), Vec<u8>> = HashMap::new();
        for tensor in &tensors {
            let StoredTensor { weight, rows, scales, .. } = tensor;
            let place = (*weight, rows.start);
            if *scales {
                out.write(&waiting.remove(&place).unwrap_or_default()).map_err(failed)?;
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
                out.write(&data).map_err(failed)?;
                held.extend_from_slice(&scales);
                self.at.done += data.len() + scales.len();
                (self.progress)(self.at)?;
            }
        }
        let (bytes, sha256) = out.finish().map_err(failed)?;
        fs::rename(&partial, self.folder.join(name)).map_err(failed)?;
        Ok(FileEntry { file: name.into(), bytes, sha256 })
    }

    fn advance(&mut self, bytes: usize) -> Result<()> {
        self.at.done += bytes;
        (self.progress)(self.at)
    }

    /// Writes a small file at once, or leaves what was there.
    fn whole(&self, name: &str, bytes: &[u8]) -> Result<FileEntry> {
        let partial = self.folder.join(format!("{name}.part"));
        let write = || {
            fs::write(&partial, bytes)?;
            fs::rename(&partial, self.folder.join(name))
        };
        write().map_err(|reason| ConvertFault::Write { path: self.folder.join(name), reason })?;
        Ok(FileEntry { file: name.into(), bytes: bytes.len() as u64, sha256: hex(&Sha256::digest(bytes)) })
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
