use super::{EncoderNames, QkvNames};
use crate::graph::{Graph, ShapeError, Source, Value};
use crate::models::Names;
use crate::ops::{Activate, Activation, Add, Attention, AttentionSpec, Function, KeySource, Linear, Mask};

/// The blocks of a transformer encoder in numbers: norms come first, and every row sees all of its sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct EncoderConfig {
    /// D, width of the residual stream.
    pub width: usize,
    /// L, number of blocks.
    pub layers: usize,
    /// H, attention heads.
    pub heads: usize,
    /// F, width of the MLP.
    pub mlp: usize,
    /// Added to the variance in LayerNorm.
    pub eps: f32,
    /// Between the MLP's layers.
    pub activation: Function,
    /// Whether queries, keys and values have biases.
    pub qkv_bias: bool,
    /// Whether what attention and MLP give is scaled channel by channel before it is added.
    pub layer_scale: bool,
    /// What a checkpoint calls its tensors.
    pub names: EncoderNames,
}

impl EncoderConfig {
    /// K, width of a head.
    pub fn head_dim(&self) -> usize {
        self.width / self.heads
    }

    /// All blocks over sequences of so many rows, or one sequence: `[B * T, D]` to `[B * T, D]`.
    ///
    /// # Errors
    /// Numbers that no kernel can work with.
    pub fn blocks(
        &self,
        g: &mut Graph,
        names: &Names,
        mut x: Value,
        sequence_rows: Option<usize>,
    ) -> Result<Value, ShapeError> {
        for i in 0..self.layers {
            g.mark(format!("layer {i}"));
            let names = names.at(&i.to_string(), &format!("{}.{i}", self.names.block));
            x = self.block(g, &names, x, sequence_rows)?;
        }
        Ok(x)
    }

    /// The norm after the last block.
    ///
    /// # Errors
    /// A width that kernels cannot work with.
    pub fn norm(&self, g: &mut Graph, names: &Names, x: Value) -> Result<Value, ShapeError> {
        names.at("norm", self.names.norm).layer_norm(g, x, self.eps)
    }

    fn block(&self, g: &mut Graph, names: &Names, x: Value, sequence_rows: Option<usize>) -> Result<Value, ShapeError> {
        let d = self.width;
        let normed = names.at("layer_norm1", self.names.norm1).layer_norm(g, x, self.eps)?;
        let qkv = self.qkv(g, names, normed)?;
        let spec = AttentionSpec { sequence_rows, ..self.attention(KeySource::Rows) };
        let attended = g.push(names.ours("attention"), Attention { q: qkv, k: qkv, v: qkv, bias: None, spec })?;
        let out = self.scaled(g, names, ["out", self.names.out, self.names.scale1], attended, d)?;
        let x = g.push(names.ours("x"), Add { a: x, b: out })?;
        let normed = names.at("layer_norm2", self.names.norm2).layer_norm(g, x, self.eps)?;
        let hidden = names.at("fc1", self.names.fc1).linear(g, normed, self.mlp, d)?;
        let hidden =
            g.push(names.ours("gelu"), Activate { x: hidden, activation: Activation::Map(self.activation) })?;
        let out = self.scaled(g, names, ["fc2", self.names.fc2, self.names.scale2], hidden, self.mlp)?;
        g.push(names.ours("y"), Add { a: x, b: out })
    }

    /// The attention of its heads, every query over all keys.
    pub(super) fn attention(&self, source: KeySource) -> AttentionSpec {
        AttentionSpec {
            heads: self.heads,
            kv_heads: self.heads,
            head_dim: self.head_dim(),
            source,
            mask: Mask::Full,
            scale: (self.head_dim() as f32).powf(-0.5),
            softcap: None,
            sequence_rows: None,
        }
    }

    /// Queries, keys and values in one product.
    fn qkv(&self, g: &mut Graph, names: &Names, x: Value) -> Result<Value, ShapeError> {
        let source = |part: &str| match self.names.qkv {
            QkvNames::Separate(layers) => {
                Source::Concat(layers.map(|layer| names.theirs(&format!("{layer}.{part}"))).into())
            }
            QkvNames::Fused(layer) => Source::tensor(names.theirs(&format!("{layer}.{part}"))),
        };
        let (rows, width) = (3 * self.width, self.width);
        let weight = g.matrix(names.ours("qkv"), rows, width, source("weight"))?;
        let bias = match self.qkv_bias {
            true => Some(g.whole(names.ours("qkv.bias"), 1, rows, source("bias"))?),
            false => None,
        };
        g.push(names.ours("qkv"), Linear::new(x, weight, bias))
    }

    /// A layer back to the width of the residual stream, its rows scaled where that is so. `[ours, theirs, factors]` are
    /// names.
    fn scaled(
        &self,
        g: &mut Graph,
        names: &Names,
        [ours, theirs, factors]: [&str; 3],
        x: Value,
        k: usize,
    ) -> Result<Value, ShapeError> {
        let (rows, layer) = (self.width, names.at(ours, theirs));
        if !self.layer_scale {
            return layer.linear(g, x, rows, k);
        }
        let source = |part: &str| Source::tensor(layer.theirs(part)).scaled(names.theirs(factors));
        let weight = g.matrix(layer.own(), rows, k, source("weight"))?;
        let bias = g.whole(layer.ours("bias"), 1, rows, source("bias"))?;
        g.push(layer.own(), Linear::new(x, weight, Some(bias)))
    }
}
