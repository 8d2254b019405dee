use std::collections::BTreeMap;

use serde::Serialize;

use super::load::{config_json, file, language_of};
use super::sums::hex;
use crate::base::Result;
use crate::format::pack::{MANIFEST, Manifest};
use crate::format::{Checkpoint, ModelFiles, TensorInfo, tensors_of};
use crate::models::Language;
use crate::models::paligemma::{CHECKPOINT, PaliGemmaConfig};
use crate::session::{pack_specs, stored_dtype, weight_specs};
use crate::tensor::Dtype;
use crate::text::Tokenizer;

/// What a model is, what its files hold and what it needs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// `paligemma`.
    pub architecture: &'static str,
    /// The SigLIP tower.
    pub vision: VisionReport,
    /// The Gemma decoder.
    pub decoder: DecoderReport,
    /// Weights in all.
    pub parameters: usize,
    /// Every tensor of the files.
    pub tensors: Vec<TensorReport>,
    /// Bytes of all tensors.
    pub bytes: usize,
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

/// A SigLIP tower in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VisionReport {
    /// D.
    pub width: usize,
    /// L.
    pub layers: usize,
    /// H.
    pub heads: usize,
    /// F.
    pub mlp: usize,
    /// Pixels along one side of the input.
    pub image_size: usize,
    /// Pixels along one side of a patch.
    pub patch: usize,
    /// P, tokens of a picture.
    pub tokens: usize,
}

/// A Gemma decoder in numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DecoderReport {
    /// `gemma` or `gemma2`.
    pub family: &'static str,
    /// D.
    pub width: usize,
    /// L.
    pub layers: usize,
    /// H.
    pub heads: usize,
    /// G.
    pub kv_heads: usize,
    /// K.
    pub head_dim: usize,
    /// F.
    pub mlp: usize,
    /// V.
    pub vocabulary: usize,
    /// Keys that a query sees backwards, per layer; none sees all.
    pub windows: Vec<Option<usize>>,
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
    let mut tokenizer = None;
    let (config, specs, dtypes) = match files.get(MANIFEST) {
        Some(manifest) => {
            let manifest = Manifest::parse(manifest)?;
            let config = PaliGemmaConfig::from_hf(&manifest.config)?;
            for shard in &manifest.shards {
                tensors.extend(tensors_of(&shard.file, file(files, &shard.file)?)?.map(report));
            }
            let found = language_of(&config, file(files, &manifest.tokenizer.file)?)?;
            tokenizer = Some(report_tokenizer(manifest.tokenizer.file.clone(), found.tokenizer()));
            let specs = pack_specs(&config, &manifest);
            let held = specs.iter().map(|spec| spec.bytes(stored_dtype(spec, &manifest))).sum();
            (config, specs, vec![(manifest.dtype, Some(held))])
        }
        None => {
            let config = PaliGemmaConfig::from_hf(&config_json(files)?)?;
            let checkpoint = Checkpoint::open(files, &CHECKPOINT)?;
            tensors.extend(checkpoint.tensors().map(report));
            let specs = weight_specs(&config, &checkpoint);
            (config, specs, [Dtype::F32, Dtype::F16, Dtype::Q8, Dtype::Q4].map(|dtype| (dtype, None)).to_vec())
        }
    };
    let (v, t) = (&config.vision, &config.decoder);
    let kv_bytes_per_token = 2 * t.layers * t.kv_heads * t.head_dim * size_of::<f32>();
    let need = |(dtype, held): (Dtype, Option<u64>)| {
        let weights_bytes = held.unwrap_or_else(|| specs.iter().map(|spec| spec.bytes(dtype)).sum());
        (dtype.name(), MemoryNeed { weights_bytes, kv_bytes_per_token })
    };
    Ok(Inspection {
        architecture: "paligemma",
        vision: VisionReport {
            width: v.width,
            layers: v.layers,
            heads: v.heads,
            mlp: v.mlp,
            image_size: v.image_size,
            patch: v.patch,
            tokens: v.tokens(),
        },
        decoder: DecoderReport {
            family: if t.post_norms { "gemma2" } else { "gemma" },
            width: t.width,
            layers: t.layers,
            heads: t.heads,
            kv_heads: t.kv_heads,
            head_dim: t.head_dim,
            mlp: t.mlp,
            vocabulary: t.vocabulary,
            windows: t.windows.clone(),
        },
        parameters: specs.iter().map(|spec| spec.rows * spec.k).sum(),
        bytes: tensors.iter().map(|tensor| tensor.bytes).sum(),
        tensors,
        tokenizer,
        memory: dtypes.into_iter().map(need).collect(),
    })
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
