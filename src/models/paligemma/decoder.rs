use std::ops::Range;

use super::{DecoderConfig, PaliGemmaConfig};
use crate::graph::{Graph, Op, ShapeFault, Value, WeightTable};
use crate::ops::{Activation, AttentionSpec, KeySource, Mask, RopeSpec, RowChoice};

/// Which pass of the decoder to build.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DecoderPass {
    /// T, the most rows of a pass: 1 for decode, the bucket for prefill.
    pub tokens: usize,
    /// Rows of one slot of the KV cache.
    pub capacity: usize,
    /// Slots of the KV cache: one per beam.
    pub slots: usize,
    /// Rows of image features that ids may refer to; 0 for decode.
    pub feature_rows: usize,
    /// What comes out.
    pub output: PassOutput,
    /// The ids that may come next, if not all: only their rows of the head are multiplied. With
    /// [`PassOutput::Greedy`] alone.
    pub ids: Option<Range<usize>>,
}

/// What a pass of the decoder leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PassOutput {
    /// Logits of the last row in `logits` if they are those of all ids, their argmax in `choice` and `next_ids`.
    Greedy,
    /// Logits of the last row in `logits`, argmax and logsumexp in `choice`, the best k in `top_k`.
    TopK(usize),
    /// Log-probabilities of the ids in `targets`, one per row, in `scores`.
    Score,
}

/// The Gemma decoder over states `ids` (or `next_ids` when one row), `features` and the caches `k.N`, `v.N`.
///
/// Shapes: `ids` `[T, 1]`, `features` `[R, D]`, caches `[slots * G * capacity, K]`, `logits` `[1, V]`.
pub fn decoder(config: &PaliGemmaConfig, weights: &WeightTable, pass: &DecoderPass) -> Result<Graph, ShapeFault> {
    let t = &config.decoder;
    let decode = pass.tokens == 1;
    let name = if decode { "decode".into() } else { format!("prefill {}", pass.tokens) };
    let mut g = Graph::new(name, weights);
    g.mark("embed");
    let ids = g.state(if decode { "next_ids" } else { "ids" }, pass.tokens, 1);
    let table = g.weight("decoder.embed")?;
    let features = (pass.feature_rows > 0).then(|| g.state("features", pass.feature_rows, t.width));
    let mut x = g.push("x", Op::Embed { ids, table, features, scale: (t.width as f32).sqrt() })?;
    for i in 0..t.layers {
        g.mark(format!("layer {i}"));
        x = block(&mut g, t, pass, i, x)?;
    }
    g.mark("head");
    head(&mut g, t, pass, x)?;
    Ok(g)
}

fn block(g: &mut Graph, t: &DecoderConfig, pass: &DecoderPass, i: usize, x: Value) -> Result<Value, ShapeFault> {
    let layer = format!("decoder.{i}");
    let name = |part: &str| format!("{layer}.{part}");
    let cache_rows = pass.slots * t.kv_heads * pass.capacity;
    let k_cache = g.state(&format!("k.{i}"), cache_rows, t.head_dim);
    let v_cache = g.state(&format!("v.{i}"), cache_rows, t.head_dim);

    let normed = rms_norm(g, t, &name("pre_attention_norm"), x)?;
    let qkv = linear(g, &name("qkv"), normed)?;
    let (heads, kv_heads, head_dim, capacity) = (t.heads, t.kv_heads, t.head_dim, pass.capacity);
    let rope = RopeSpec { heads, kv_heads, head_dim, capacity, theta: t.rope_theta };
    let q = g.push(&name("q"), Op::RopeAppend { qkv, k_cache, v_cache, spec: rope })?;
    let spec = AttentionSpec {
        heads,
        kv_heads,
        head_dim,
        source: KeySource::Cache { capacity },
        mask: Mask::Prefix { window: t.windows[i] },
        scale: t.query_scale,
        softcap: t.attention_softcap,
    };
    let attended = g.push(&name("attention"), Op::Attention { q, k: k_cache, v: v_cache, spec })?;
    let mut out = linear(g, &name("out"), attended)?;
    if t.post_norms {
        out = rms_norm(g, t, &name("post_attention_norm"), out)?;
    }
    let x = g.push(&name("x"), Op::Add { a: x, b: out })?;

    let normed = rms_norm(g, t, &name("pre_mlp_norm"), x)?;
    let gate_up = linear(g, &name("gate_up"), normed)?;
    let hidden = g.push(&name("geglu"), Op::Activate { x: gate_up, activation: Activation::GeGlu })?;
    let mut out = linear(g, &name("down"), hidden)?;
    if t.post_norms {
        out = rms_norm(g, t, &name("post_mlp_norm"), out)?;
    }
    g.push(&name("y"), Op::Add { a: x, b: out })
}

/// Final norm, tied head, softcap and what the pass leaves behind.
fn head(g: &mut Graph, t: &DecoderConfig, pass: &DecoderPass, x: Value) -> Result<(), ShapeFault> {
    let rows = if pass.output == PassOutput::Score { RowChoice::All } else { RowChoice::Last };
    let weight = g.weight("decoder.norm")?;
    let normed = g.push("norm", Op::RmsNorm { x, weight, residual: None, eps: t.eps, rows })?;
    let weight = g.weight("decoder.embed")?;
    let (activation, rows) = (Activation::None, RowChoice::All);
    let part = pass.ids.clone();
    let first_id = part.as_ref().map_or(0, |part| part.start);
    let op = Op::Linear { x: normed, weight, bias: None, residual: None, activation, rows, part };
    let mut logits = g.push("logits", op)?;
    if let Some(cap) = t.final_softcap {
        logits = g.push("capped", Op::Activate { x: logits, activation: Activation::Softcap(cap) })?;
    }
    if pass.output == PassOutput::Score {
        let ids = g.state("targets", pass.tokens, 1);
        let scores = g.push("scores", Op::LogSoftmax { logits, ids })?;
        g.keep(scores, "scores");
        return Ok(());
    }
    if pass.ids.is_none() {
        g.keep(logits, "logits");
    }
    let next_ids = g.state("next_ids", 1, 1);
    let choice = g.push("choice", Op::ArgMax { logits, first_id, next_ids })?;
    g.keep(choice, "choice");
    if let PassOutput::TopK(k) = pass.output {
        let top = g.push("top_k", Op::TopK { logits, k })?;
        g.keep(top, "top_k");
    }
    Ok(())
}

fn linear(g: &mut Graph, name: &str, x: Value) -> Result<Value, ShapeFault> {
    let weight = g.weight(name)?;
    let (activation, rows) = (Activation::None, RowChoice::All);
    g.push(name, Op::Linear { x, weight, bias: None, residual: None, activation, rows, part: None })
}

fn rms_norm(g: &mut Graph, t: &DecoderConfig, name: &str, x: Value) -> Result<Value, ShapeFault> {
    let weight = g.weight(name)?;
    g.push(name, Op::RmsNorm { x, weight, residual: None, eps: t.eps, rows: RowChoice::All })
}
