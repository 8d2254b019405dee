use super::PaliGemmaConfig;
use crate::graph::{Graph, Op, ShapeFault, Value, WeightTable};
use crate::ops::{Activation, AttentionSpec, KeySource, Mask, RowChoice};

/// The SigLIP tower and the projector: state `image` `[S*S, 3]` in, state `picture` `[P, D]` of the decoder's width out.
pub fn vision(config: &PaliGemmaConfig, weights: &WeightTable) -> Result<Graph, ShapeFault> {
    let v = &config.vision;
    let mut g = Graph::new("vision", weights);
    let image = g.state("image", v.image_size * v.image_size, 3);
    g.mark("embed");
    let patches = g.push("patches", Op::Patchify { image, size: v.image_size, patch: v.patch })?;
    let embedded = linear(&mut g, "vision.patch", patches)?;
    let position = g.weight("vision.position")?;
    let mut x = g.push("x", Op::Add { a: embedded, b: position })?;
    for i in 0..v.layers {
        g.mark(format!("layer {i}"));
        let layer = format!("vision.{i}");
        let normed = layer_norm(&mut g, &format!("{layer}.layer_norm1"), x, v.eps)?;
        let qkv = linear(&mut g, &format!("{layer}.qkv"), normed)?;
        let spec = AttentionSpec {
            heads: v.heads,
            kv_heads: v.heads,
            head_dim: v.head_dim(),
            source: KeySource::Rows,
            mask: Mask::Full,
            scale: (v.head_dim() as f32).powf(-0.5),
            softcap: None,
        };
        let attended = g.push(&format!("{layer}.attention"), Op::Attention { q: qkv, k: qkv, v: qkv, spec })?;
        let out = linear(&mut g, &format!("{layer}.out"), attended)?;
        x = g.push(&format!("{layer}.x"), Op::Add { a: x, b: out })?;
        let normed = layer_norm(&mut g, &format!("{layer}.layer_norm2"), x, v.eps)?;
        let hidden = linear(&mut g, &format!("{layer}.fc1"), normed)?;
        let hidden = g.push(&format!("{layer}.gelu"), Op::Activate { x: hidden, activation: Activation::Gelu })?;
        let out = linear(&mut g, &format!("{layer}.fc2"), hidden)?;
        x = g.push(&format!("{layer}.y"), Op::Add { a: x, b: out })?;
    }
    g.mark("project");
    let normed = layer_norm(&mut g, "vision.norm", x, v.eps)?;
    let picture = linear(&mut g, "projector", normed)?;
    g.keep(picture, "picture");
    Ok(g)
}

fn linear(g: &mut Graph, name: &str, x: Value) -> Result<Value, ShapeFault> {
    let (weight, bias) = (g.weight(name)?, g.weight(&format!("{name}.bias"))?);
    let (activation, rows) = (Activation::None, RowChoice::All);
    g.push(name, Op::Linear { x, weight, bias: Some(bias), residual: None, activation, rows, part: None })
}

fn layer_norm(g: &mut Graph, name: &str, x: Value, eps: f32) -> Result<Value, ShapeFault> {
    let (weight, bias) = (g.weight(&format!("{name}.weight"))?, g.weight(&format!("{name}.bias"))?);
    g.push(name, Op::LayerNorm { x, weight, bias, eps })
}
