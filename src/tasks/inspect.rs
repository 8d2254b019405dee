use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::load::{config_json, file};
use super::sums::hex;
use crate::base::Result;
use crate::format::pack::{MANIFEST, Manifest, WeightGroup};
use crate::format::{Checkpoint, ModelFiles, TensorInfo, tensors_of};
use crate::models::{self, Section};
use crate::session::{PackWeights, cache_bytes_per_token, checkpoint_specs, open_pack};
use crate::tensor::Dtype;
use crate::text::Tokenizer;

/// What a model is, what its files hold and what it needs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// Its name, such as `paligemma`.
    pub architecture: &'static str,
    /// Its parts in numbers, each an object by its name.
    #[serde(flatten, serialize_with = "as_objects")]
    pub sections: Vec<Section>,
    /// Weights in all.
    pub parameters: usize,
    /// Every tensor of the files.
    pub tensors: Vec<TensorReport>,
    /// Bytes of all tensors.
    pub bytes: usize,
    /// The weights of a pack as it can be fetched in portions; nothing for a checkpoint.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupReport>,
    /// The tokenizer of a pack.
    pub tokenizer: Option<TokenizerReport>,
    /// Memory on a device, by the dtype of the weights; a pack has only its own.
    pub memory: BTreeMap<&'static str, MemoryNeed>,
}

/// Memory on a device, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MemoryNeed {
    /// All weights.
    pub weights_bytes: u64,
    /// Each token of prompt and answer, in the KV cache.
    pub kv_bytes_per_token: usize,
}

/// Shards of a pack that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupReport {
    /// The parts of the model whose weights they hold.
    pub parts: Vec<String>,
    /// Files.
    pub shards: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// A tokenizer in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenizerReport {
    /// Its file in the pack.
    pub file: String,
    /// V, without added tokens that are no pieces.
    pub pieces: usize,
    /// Pairs of pieces that become one.
    pub merges: usize,
    /// Tokens that are found before anything else is.
    pub added: usize,
    /// SHA-256 of the `tokenizer.json` that a compact form was made of.
    pub source_sha256: Option<String>,
}

/// A tensor of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TensorReport {
    /// Its name in the file.
    pub name: String,
    /// `f32`, `bf16`, ...
    pub dtype: String,
    /// Extents, outermost first.
    pub shape: Vec<usize>,
    /// Bytes in the file.
    pub bytes: usize,
}

/// Looks at a checkpoint or a pack without loading it.
///
/// # Errors
/// Missing or damaged files, or an architecture that is not supported.
pub fn inspect(files: &dyn ModelFiles) -> Result<Inspection> {
    let report = |t: TensorInfo| TensorReport { name: t.name, dtype: t.dtype, shape: t.shape, bytes: t.bytes };
    let mut tensors: Vec<TensorReport> = Vec::new();
    let (mut groups, mut tokenizer) = (Vec::new(), None);
    let (architecture, specs, dtypes) = match files.get(MANIFEST) {
        Some(manifest) => {
            let manifest = Manifest::parse(manifest)?;
            let architecture = open_pack(&manifest)?;
            for shard in manifest.shards() {
                tensors.extend(tensors_of(&shard.file, file(files, &shard.file)?)?.map(report));
            }
            groups.extend(manifest.groups.iter().map(report_group));
            if let Some(entry) = &manifest.tokenizer {
                let (bytes, config) = (file(files, &entry.file)?, manifest.tokenizer_config.as_ref());
                let report = |tokenizer: &Tokenizer| report_tokenizer(entry.file.clone(), tokenizer);
                tokenizer = Some(models::with_tokenizer(architecture.as_ref(), bytes, config, report)?);
            }
            let weights = PackWeights::of(architecture.as_ref(), &manifest, None)?;
            let held = weights.specs.iter().map(|spec| spec.bytes(weights.dtype(spec))).sum();
            (architecture, weights.specs, vec![(manifest.dtype, Some(held))])
        }
        None => {
            let architecture = models::open(&config_json(files)?)?;
            let checkpoint = Checkpoint::open(files, &architecture.checkpoint_rules())?;
            tensors.extend(checkpoint.tensors().map(report));
            let specs = checkpoint_specs(architecture.as_ref(), &checkpoint)?;
            (architecture, specs, [Dtype::F32, Dtype::F16, Dtype::Q8, Dtype::Q4].map(|dtype| (dtype, None)).to_vec())
        }
    };
    let kv_bytes_per_token = cache_bytes_per_token(architecture.as_ref())?;
    let need = |(dtype, held): (Dtype, Option<u64>)| {
        let weights_bytes = held.unwrap_or_else(|| specs.iter().map(|spec| spec.bytes(dtype)).sum());
        (dtype.name(), MemoryNeed { weights_bytes, kv_bytes_per_token })
    };
    Ok(Inspection {
        architecture: architecture.name(),
        sections: architecture.report(),
        parameters: specs.iter().map(|spec| spec.rows * spec.k).sum(),
        bytes: tensors.iter().map(|tensor| tensor.bytes).sum(),
        tensors,
        groups,
        tokenizer,
        memory: dtypes.into_iter().map(need).collect(),
    })
}

fn as_objects<S: Serializer>(sections: &[Section], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(sections.iter().map(|section| {
        let numbers = section.numbers.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        (section.name, Value::Object(Map::from_iter(numbers)))
    }))
}

fn report_group(group: &WeightGroup) -> GroupReport {
    let bytes = group.shards.iter().map(|shard| shard.bytes).sum();
    GroupReport { parts: group.parts.clone(), shards: group.shards.len(), bytes }
}

fn report_tokenizer(file: String, tokenizer: &Tokenizer) -> TokenizerReport {
    let size = tokenizer.size();
    TokenizerReport {
        file,
        pieces: size.pieces,
        merges: size.merges,
        added: size.added,
        source_sha256: tokenizer.source().map(|sum| hex(sum)),
    }
}
