use super::VitConfig;
use crate::graph::{Graph, ShapeError, Source, Value};
use crate::models::Names;
use crate::ops::{
    Activate, Activation, Add, Attention, AttentionSpec, KeySource, Linear, MeanRows, Prepend, SelectRows,
};

/// How the rows of an image become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// They do not.
    None,
    /// The class row stands for them.
    Class,
    /// The mean of the patches' rows.
    Mean,
    /// A learned query attends to the patches' rows, and an MLP follows.
    Attention(PoolNames),
}

/// What a checkpoint calls the tensors of a head that pools by attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolNames {
    /// The query before its layer.
    pub probe: &'static str,
    /// Its layer, and that of keys and values.
    pub layers: PoolLayers,
    /// What attention's heads go through.
    pub out: &'static str,
    /// The norm before the MLP.
    pub norm: &'static str,
    /// The MLP's first layer.
    pub fc1: &'static str,
    /// The MLP's second layer.
    pub fc2: &'static str,
}

/// The layers of the query, and of keys and values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolLayers {
    /// One tensor whose rows are query, keys, values, `_weight` and `_bias` following its name; or three layers.
    Joint {
        /// The tensor's name.
        all: &'static str,
        /// The layers of query, keys and values.
        apart: [&'static str; 3],
    },
    /// A layer of the query, and one whose rows are keys, values.
    Apart {
        /// The query's.
        query: &'static str,
        /// The keys' and values'.
        memory: &'static str,
    },
}

/// Hugging Face's SigLIP.
pub const SIGLIP_POOL: PoolNames = PoolNames {
    probe: "head.probe",
    layers: PoolLayers::Joint {
        all: "head.attention.in_proj",
        apart: ["head.attention.q_proj", "head.attention.k_proj", "head.attention.v_proj"],
    },
    out: "head.attention.out_proj",
    norm: "head.layernorm",
    fc1: "head.mlp.fc1",
    fc2: "head.mlp.fc2",
};

/// timm.
pub const TIMM_POOL: PoolNames = PoolNames {
    probe: "attn_pool.latent",
    layers: PoolLayers::Apart { query: "attn_pool.q", memory: "attn_pool.kv" },
    out: "attn_pool.proj",
    norm: "attn_pool.norm",
    fc1: "attn_pool.mlp.fc1",
    fc2: "attn_pool.mlp.fc2",
};

impl VitConfig {
    /// A row for each of the images whose rows are `x` `[B * T, D]`, prefixes first: `[B, D]`.
    ///
    /// # Errors
    /// Rows that are not pooled, or numbers that no kernel can work with.
    pub(super) fn pool(
        &self,
        g: &mut Graph,
        names: &Names,
        pooling: Pooling,
        x: Value,
        images: usize,
    ) -> Result<Value, ShapeError> {
        let (rows, prefix) = (g.rows(x) / images.max(1), self.prefix.rows());
        match pooling {
            Pooling::None => Err(ShapeError::NoPass("that makes one row of an image".into())),
            Pooling::Class => g.push("class", SelectRows::one(x, rows, 0)),
            Pooling::Mean => g.push("mean", MeanRows { x, sequence_rows: rows, skip: prefix }),
            Pooling::Attention(tensors) => {
                let patches = match prefix {
                    0 => x,
                    _ => g.push("patch_rows", SelectRows { x, sequence_rows: rows, rows: prefix..rows })?,
                };
                self.pool_by_attention(g, names, tensors, patches, images)
            }
        }
    }

    /// `y = a + MLP(LayerNorm(a))`, a being what a learned query takes from the patches' rows.
    fn pool_by_attention(
        &self,
        g: &mut Graph,
        names: &Names,
        tensors: PoolNames,
        x: Value,
        images: usize,
    ) -> Result<Value, ShapeError> {
        let (encoder, names) = (&self.encoder, names.inside("pool"));
        let (d, rows) = (encoder.width, g.rows(x) / images.max(1));
        let probe = g.whole(names.ours("probe"), 1, d, Source::tensor(names.theirs(tensors.probe)))?;
        let [query, memory] = tensors.layers.sources(&names, d);
        let mut query = layer(g, &names.ours("query"), probe, query, d)?;
        if images > 1 {
            query = g.push(names.ours("queries"), Prepend { prefix: query, x: None, sequences: images })?;
        }
        let memory = layer(g, &names.ours("memory"), x, memory, 2 * d)?;
        let spec =
            AttentionSpec { sequence_rows: Some(1), ..encoder.attention(KeySource::Memory { rows, fused: true }) };
        let attended =
            g.push(names.ours("attention"), Attention { q: query, k: memory, v: memory, bias: None, spec })?;
        let a = names.at("out", tensors.out).linear(g, attended, d, d)?;
        let normed = names.at("norm", tensors.norm).layer_norm(g, a, encoder.eps)?;
        let hidden = names.at("fc1", tensors.fc1).linear(g, normed, encoder.mlp, d)?;
        let activation = Activation::Map(encoder.activation);
        let hidden = g.push(names.ours("gelu"), Activate { x: hidden, activation })?;
        let out = names.at("fc2", tensors.fc2).linear(g, hidden, d, encoder.mlp)?;
        g.push(names.ours("y"), Add { a, b: out })
    }
}

/// A layer whose weight and bias come from these sources.
fn layer(g: &mut Graph, name: &str, x: Value, [weight, bias]: [Source; 2], rows: usize) -> Result<Value, ShapeError> {
    let width = g.width(x);
    let weight = g.matrix(name, rows, width, weight)?;
    let bias = g.whole(format!("{name}.bias"), 1, rows, bias)?;
    g.push(name, Linear::new(x, weight, Some(bias)))
}

impl PoolLayers {
    /// Weight and bias of the query's layer, and of the keys' and values'; D is `d`.
    fn sources(&self, names: &Names, d: usize) -> [[Source; 2]; 2] {
        match self {
            Self::Joint { all, apart: [query, keys, values] } => {
                let layers = |layers: &[&str], part: &str| {
                    Source::Concat(layers.iter().map(|layer| names.theirs(&format!("{layer}.{part}"))).collect())
                };
                [(0, &[*query][..]), (d, &[*keys, *values])].map(|(first, apart)| {
                    ["weight", "bias"]
                        .map(|part| Source::part(names.theirs(&format!("{all}_{part}")), first).or(layers(apart, part)))
                })
            }
            Self::Apart { query, memory } => [query, memory]
                .map(|layer| ["weight", "bias"].map(|part| Source::tensor(names.theirs(&format!("{layer}.{part}"))))),
        }
    }
}
