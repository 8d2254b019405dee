use super::VitConfig;
use crate::graph::{Graph, ShapeError, Source, StateKind, Value};
use crate::models::{Names, states};
use crate::ops::{Activate, Activation, Add, Attention, AttentionSpec, Function, KeySource, Linear, Mask, Patchify};

impl VitConfig {
    /// Patches along one side; the pixels that fill no patch are dropped.
    pub fn grid(&self) -> usize {
        self.image_size / self.patch
    }

    /// P, tokens of one picture.
    pub fn tokens(&self) -> usize {
        self.grid() * self.grid()
    }

    /// K, width of a head.
    pub fn head_dim(&self) -> usize {
        self.width / self.heads
    }

    /// The encoder over state `image` `[S*S, 3]`, up to its final norm: `[P, D]`. Tensors have the names of Hugging
    /// Face's `SiglipVisionTransformer`.
    ///
    /// # Errors
    /// Numbers that no kernel can work with.
    pub fn encode(&self, g: &mut Graph, names: &Names) -> Result<Value, ShapeError> {
        let d = self.width;
        let image = g.state(states::IMAGE, StateKind::Input, self.image_size * self.image_size, 3)?;
        g.mark("embed");
        let patches = g.push("patches", Patchify { image, size: [self.image_size; 2], patch: self.patch })?;
        let patch = names.at("patch", "embeddings.patch_embedding");
        let embedded = patch.linear(g, patches, d, 3 * self.patch * self.patch)?;
        let position = Source::tensor(names.theirs("embeddings.position_embedding.weight"));
        let position = g.whole(names.ours("position"), self.tokens(), d, position)?;
        let mut x = g.push("x", Add { a: embedded, b: position })?;
        for i in 0..self.layers {
            g.mark(format!("layer {i}"));
            x = self.block(g, &names.at(&i.to_string(), &format!("encoder.layers.{i}")), x)?;
        }
        Ok(x)
    }

    /// The norm after the last block.
    ///
    /// # Errors
    /// A width that kernels cannot work with.
    pub fn norm(&self, g: &mut Graph, names: &Names, x: Value) -> Result<Value, ShapeError> {
        names.at("norm", "post_layernorm").layer_norm(g, x, self.eps)
    }

    fn block(&self, g: &mut Graph, names: &Names, x: Value) -> Result<Value, ShapeError> {
        let (d, head_dim) = (self.width, self.head_dim());
        let normed = names.at("layer_norm1", "layer_norm1").layer_norm(g, x, self.eps)?;
        let qkv = fused_qkv(g, names, normed, 3 * d)?;
        let spec = AttentionSpec {
            heads: self.heads,
            kv_heads: self.heads,
            head_dim,
            source: KeySource::Rows,
            mask: Mask::Full,
            scale: (head_dim as f32).powf(-0.5),
            softcap: None,
            sequence_rows: None,
        };
        let attended = g.push(names.ours("attention"), Attention { q: qkv, k: qkv, v: qkv, bias: None, spec })?;
        let out = names.at("out", "self_attn.out_proj").linear(g, attended, d, d)?;
        let x = g.push(names.ours("x"), Add { a: x, b: out })?;
        let normed = names.at("layer_norm2", "layer_norm2").layer_norm(g, x, self.eps)?;
        let hidden = names.at("fc1", "mlp.fc1").linear(g, normed, self.mlp, d)?;
        let hidden =
            g.push(names.ours("gelu"), Activate { x: hidden, activation: Activation::Map(Function::GeluTanh) })?;
        let out = names.at("fc2", "mlp.fc2").linear(g, hidden, d, self.mlp)?;
        g.push(names.ours("y"), Add { a: x, b: out })
    }
}

/// Queries, keys and values in one product, of three tensors with biases.
fn fused_qkv(g: &mut Graph, names: &Names, x: Value, rows: usize) -> Result<Value, ShapeError> {
    let sources = |part: &str| {
        Source::Concat(["q", "k", "v"].map(|n| names.theirs(&format!("self_attn.{n}_proj.{part}"))).into())
    };
    let width = g.width(x);
    let weight = g.matrix(names.ours("qkv"), rows, width, sources("weight"))?;
    let bias = g.whole(names.ours("qkv.bias"), 1, rows, sources("bias"))?;
    g.push(names.ours("qkv"), Linear::new(x, weight, Some(bias)))
}
