//! From a checkpoint to a pack, tensor by tensor: what is held at a time does not grow with the model.

mod error;
mod journal;
mod writer;

use std::fs;
use std::ops::Range;
use std::path::Path;

use glob::Pattern;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use self::error::ConvertError;
use self::journal::{JOURNAL, Journal, fingerprint, is_whole};
use self::writer::{Writer, is_shard, part_of, remove, shard_name};
use super::load::{optional_json, tokenizer_json};
use super::model_checksum::model_checksum;
use crate::base::Result;
use crate::format::pack::{FORMAT, FileEntry, MANIFEST, Manifest, StoredWeight, WeightGroup, shards};
use crate::format::{Checkpoint, ModelFiles, is_legal_text};
use crate::graph::{Storage, WeightSpec};
use crate::models::paligemma::Preset;
use crate::models::{self, Architecture};
use crate::session::{LoadProgress, check_tensors, checkpoint_parts};
use crate::tensor::Dtype;
use crate::text::COMPACT;

/// How a pack is made.
#[derive(Debug, Clone)]
pub struct ConvertOptions {
    /// How matrices are stored.
    pub dtype: Dtype,
    /// Most bytes of a shard, where rows are not larger.
    pub shard_bytes: usize,
    /// Matrices that stay f16: patterns of their names with `*` and `?`.
    pub keep_f16: Vec<String>,
    /// What the shapes of big_vision's weights do not tell, where they are of no published sizes.
    pub preset: Option<Preset>,
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
    /// The preset that big_vision's weights were taken to be of, where they came without a configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<&'static str>,
}

/// Writes a pack into `folder`, which is made if it is not there. The same source gives the same bytes.
///
/// A conversion that was interrupted goes on where it was, if the source is the same; a pack that is there already is
/// replaced. `progress` counts bytes written, and ends the work with an
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
        return Err(ConvertError::Pack(files.place().into()).into());
    }
    if let (Ok(source), Ok(to)) = (fs::canonicalize(files.place()), fs::canonicalize(folder))
        && (source == to || source.is_file() && source.parent() == Some(&to))
    {
        return Err(ConvertError::SourceFolder(folder.into()).into());
    }
    let (json, preset) = models::config_json(files, options.preset)?;
    let architecture = models::open(&json)?;
    let checkpoint = Checkpoint::open(files, &architecture.checkpoint_rules())?;
    let parts = checkpoint_parts(architecture.as_ref(), &checkpoint);
    let by_part = models::weights_by_part(architecture.as_ref(), &parts)?;
    let borders = borders(&by_part);
    let specs: Vec<WeightSpec> = by_part.into_iter().flatten().collect();
    check_tensors(architecture.as_ref(), &specs, &checkpoint)?;
    let tokenizer = if architecture.reads_text() { Some(compact(architecture.as_ref(), files)?) } else { None };
    let f16 = kept(&specs, options)?;
    let weights: Vec<StoredWeight> = specs
        .iter()
        .map(|spec| {
            let dtype = spec.kept_in(if f16.contains(&spec.name) { Dtype::F16 } else { options.dtype });
            StoredWeight { name: spec.name.clone(), rows: spec.rows, k: spec.k, dtype }
        })
        .collect();
    fs::create_dir_all(folder).map_err(ConvertError::writing(folder))?;
    let mut writer = Writer {
        folder,
        checkpoint: &checkpoint,
        specs: &specs,
        weights: &weights,
        at: LoadProgress { done: 0, total: weights.iter().map(|weight| weight.bytes(weight.rows)).sum() },
        progress,
    };
    let source = fingerprint(files, &checkpoint, &json.to_string(), &weights, &borders, options);
    let mut journal = Journal::open(folder, source);
    let note = |writer: &Writer<'_>, journal: &Journal| {
        writer.whole(JOURNAL, &serde_json::to_vec(journal).unwrap_or_default()).map(|_| ())
    };
    note(&writer, &journal)?;
    // First: from here to the end the folder holds files of two packs, and no manifest may call them one.
    remove(&folder.join(MANIFEST))?;
    let (mut written, mut kept) = (0, 0);
    let mut groups = Vec::with_capacity(parts.len());
    for (part, numbers) in parts.iter().zip(borders) {
        let mut entries = Vec::new();
        for rows in shards(&weights, numbers, options.shard_bytes) {
            let name = shard_name(written);
            written += 1;
            if let Some(done) = journal.done.get(&name).filter(|entry| is_whole(folder, entry)) {
                kept += 1;
                entries.push(done.clone());
                writer.advance(rows.iter().map(|part| weights[part.weight].bytes(part.rows.len())).sum())?;
                continue;
            }
            let entry = writer.shard(&name, &rows)?;
            entries.push(entry.clone());
            journal.done.insert(name, entry);
            note(&writer, &journal)?;
        }
        groups.push(WeightGroup { parts: vec![part.name.into()], shards: entries });
    }
    let (licence, notices) = legal_texts(files, &writer)?;
    let manifest = Manifest {
        format: FORMAT,
        architecture: architecture.name().into(),
        checksum: Some(model_checksum(files)?),
        dtype: options.dtype,
        f16,
        config: json,
        processor: optional_json(files, "preprocessor_config.json")?,
        generation: optional_json(files, "generation_config.json")?,
        tokenizer_config: tokenizer_config(files, architecture.as_ref())?,
        tokenizer: tokenizer.map(|bytes| writer.whole(COMPACT, &bytes)).transpose()?,
        licence,
        notices,
        groups,
    };
    remove_strays(folder, &manifest, &journal)?;
    // Last: a folder with a manifest is complete, and nothing else is in it.
    let mut text = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    text.push(b'\n');
    let manifest_bytes = writer.whole(MANIFEST, &text)?.bytes;
    remove(&folder.join(JOURNAL))?;
    let bytes = manifest.files().map(|file| file.bytes).sum::<u64>() + manifest_bytes;
    Ok(Converted { files: manifest.files().count() + 1, bytes, kept, preset: preset.map(Preset::name) })
}

/// The numbers of each part's weights among all of them.
fn borders(by_part: &[Vec<WeightSpec>]) -> Vec<Range<usize>> {
    let mut end = 0;
    let range = |part: &Vec<WeightSpec>| {
        let first = end;
        end += part.len();
        first..end
    };
    by_part.iter().map(range).collect()
}

/// The tokenizer as packs have it.
fn compact(architecture: &dyn Architecture, files: &dyn ModelFiles) -> Result<Vec<u8>> {
    let json = tokenizer_json(files)?;
    let (config, digest) = (tokenizer_config(files, architecture)?, Sha256::digest(json).into());
    models::with_tokenizer(architecture, json, config.as_ref(), |tokenizer| tokenizer.compact(&digest))?
        .map_err(Into::into)
}

/// What `tokenizer_config.json` says of how texts are written, where the architecture asks for it: not the tokens, which
/// the tokenizer has itself.
fn tokenizer_config(files: &dyn ModelFiles, architecture: &dyn Architecture) -> Result<Option<Value>> {
    if architecture.encoders().text.is_none() {
        return Ok(None);
    }
    let mut config = optional_json(files, "tokenizer_config.json")?;
    if let Some(fields) = config.as_mut().and_then(Value::as_object_mut) {
        for tokens in ["added_tokens_decoder", "additional_special_tokens", "extra_special_tokens", "chat_template"] {
            fields.remove(tokens);
        }
    }
    Ok(config)
}

/// Copies what the source says of its terms: the licence, and all other texts.
fn legal_texts(files: &dyn ModelFiles, writer: &Writer<'_>) -> Result<(Option<FileEntry>, Vec<FileEntry>)> {
    let mut texts = Vec::new();
    for name in files.names().into_iter().filter(|name| is_legal_text(name)) {
        texts.push(writer.whole(name, files.get(name).unwrap_or_default())?);
    }
    let licence = texts.iter().position(|text| !text.file.to_ascii_lowercase().starts_with("notice"));
    Ok((licence.map(|place| texts.remove(place)), texts))
}

/// Removes what earlier conversions wrote into a folder and the manifest does not name.
fn remove_strays(folder: &Path, manifest: &Manifest, journal: &Journal) -> Result<(), ConvertError> {
    let unreadable = ConvertError::writing(folder);
    for entry in fs::read_dir(folder).map_err(&unreadable)? {
        let entry = entry.map_err(&unreadable)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let written = |name: &str| [MANIFEST, COMPACT, JOURNAL].contains(&name) || is_legal_text(name);
        let whole = |name: &str| is_shard(name) || journal.replaced.contains(name);
        let ours = whole(&name) || part_of(&name).is_some_and(|name| whole(name) || written(name));
        if ours && !entry.path().is_dir() && !manifest.files().any(|file| file.file == name) {
            remove(&folder.join(&*name))?;
        }
    }
    Ok(())
}

/// The matrices that stay f16; every pattern must name some.
fn kept(specs: &[WeightSpec], options: &ConvertOptions) -> Result<Vec<String>, ConvertError> {
    let mut kept = Vec::new();
    for text in &options.keep_f16 {
        let pattern = Pattern::new(text)
            .map_err(|error| ConvertError::Pattern { pattern: text.clone(), reason: error.to_string() })?;
        let matrices = specs.iter().filter(|spec| spec.storage == Storage::Matrix && pattern.matches(&spec.name));
        let before = kept.len();
        kept.extend(matrices.map(|spec| spec.name.clone()));
        if kept.len() == before {
            return Err(ConvertError::NoMatch(text.clone()));
        }
    }
    kept.sort();
    kept.dedup();
    Ok(kept)
}
