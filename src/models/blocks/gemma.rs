use super::GemmaConfig;
use crate::graph::{Graph, ShapeError, Source, StateKind, Value, WeightId};
use crate::models::{DecoderPass, Names, PassOutput, states};
use crate::ops::{
    Activate, Activation, Add, ArgMax, Attention, AttentionSpec, Embed, Function, KeySource, Linear, LogSoftmax, Mask,
    RmsNorm, RopeAppend, RopeSpec, RowChoice, TopK,
};

/// A block's norms by our names and the checkpoint's.
///
/// `post_attention_layernorm` is the norm *before* the MLP in Gemma 1 and the norm *after* attention in Gemma 2.
#[derive(Clone, Copy)]
struct NormNames {
    post_attention: Option<&'static str>,
    pre_mlp: &'static str,
    post_mlp: Option<&'static str>,
}

const GEMMA1: NormNames = NormNames { post_attention: None, pre_mlp: "post_attention_layernorm", post_mlp: None };
const GEMMA2: NormNames = NormNames {
    post_attention: Some("post_attention_layernorm"),
    pre_mlp: "pre_feedforward_layernorm",
    post_mlp: Some("post_feedforward_layernorm"),
};

impl GemmaConfig {
    /// A pass over states `ids` (or `next_ids` when one row a sequence), `features` and the caches `k.N`, `v.N`.
    /// Tensors have the names of Hugging Face's `GemmaModel`.
    ///
    /// # Errors
    /// Numbers that no kernel can work with.
    pub fn pass(&self, names: &Names, pass: &DecoderPass) -> Result<Graph, ShapeError> {
        let mut g = Graph::new(pass.name());
        g.mark("embed");
        let ids = g.state(pass.ids_state(), StateKind::Input, pass.rows(), 1)?;
        let table = self.embedding(&mut g, names)?;
        let features = match pass.feature_rows {
            0 => None,
            rows => Some(g.state(states::FEATURES, StateKind::Memory, rows, self.width)?),
        };
        let mut x = g.push("x", Embed { ids, table, features, scale: (self.width as f32).sqrt() })?;
        for i in 0..self.layers {
            g.mark(format!("layer {i}"));
            x = self.block(&mut g, &names.at(&i.to_string(), &format!("layers.{i}")), pass, i, x)?;
        }
        g.mark("head");
        self.head(&mut g, names, pass, x)?;
        Ok(g)
    }

    /// The embedding, which is the head, too.
    fn embedding(&self, g: &mut Graph, names: &Names) -> Result<WeightId, ShapeError> {
        names.at("embed", "embed_tokens").matrix(g, self.vocabulary, self.width)
    }

    fn block(&self, g: &mut Graph, names: &Names, pass: &DecoderPass, i: usize, x: Value) -> Result<Value, ShapeError> {
        let Self { width: d, mlp: f, heads, kv_heads, head_dim, .. } = *self;
        let (q_width, kv_width, capacity) = (heads * head_dim, kv_heads * head_dim, pass.capacity);
        let norms = if self.post_norms { GEMMA2 } else { GEMMA1 };
        let cache = StateKind::Cache { slots: pass.slots };
        let cache_rows = pass.slots * kv_heads * capacity;
        let k_cache = g.state(&states::keys(i), cache, cache_rows, head_dim)?;
        let v_cache = g.state(&states::values(i), cache, cache_rows, head_dim)?;

        let normed = self.rms_norm(g, &names.at("pre_attention_norm", "input_layernorm"), x)?;
        let qkv = ["q", "k", "v"].map(|n| names.theirs(&format!("self_attn.{n}_proj.weight")));
        let weight = g.matrix(names.ours("qkv"), q_width + 2 * kv_width, d, Source::Concat(qkv.into()))?;
        let qkv = g.push(names.ours("qkv"), Linear::new(normed, weight, None))?;
        let spec = RopeSpec {
            heads,
            kv_heads,
            head_dim,
            capacity,
            theta: self.rope_theta,
            sequence_rows: pass.sequence_rows(),
        };
        let q = g.push(names.ours("q"), RopeAppend { qkv, k_cache, v_cache, spec })?;
        let spec = AttentionSpec {
            heads,
            kv_heads,
            head_dim,
            source: KeySource::Cache { capacity },
            mask: Mask::Prefix { window: self.windows[i] },
            scale: self.query_scale,
            softcap: self.attention_softcap,
            sequence_rows: pass.sequence_rows(),
        };
        let attended = g.push(names.ours("attention"), Attention { q, k: k_cache, v: v_cache, bias: None, spec })?;
        let mut out = names.at("out", "self_attn.o_proj").unbiased(g, attended, d, q_width)?;
        if let Some(norm) = norms.post_attention {
            out = self.rms_norm(g, &names.at("post_attention_norm", norm), out)?;
        }
        let x = g.push(names.ours("x"), Add { a: x, b: out })?;

        let normed = self.rms_norm(g, &names.at("pre_mlp_norm", norms.pre_mlp), x)?;
        let [gate, up] = ["gate", "up"].map(|n| names.theirs(&format!("mlp.{n}_proj.weight")));
        let weight = g.matrix(names.ours("gate_up"), 2 * f, d, Source::Interleave(gate, up))?;
        let gate_up = g.push(names.ours("gate_up"), Linear::new(normed, weight, None))?;
        let hidden =
            g.push(names.ours("geglu"), Activate { x: gate_up, activation: Activation::Gated(Function::GeluTanh) })?;
        let mut out = names.at("down", "mlp.down_proj").unbiased(g, hidden, d, f)?;
        if let Some(norm) = norms.post_mlp {
            out = self.rms_norm(g, &names.at("post_mlp_norm", norm), out)?;
        }
        g.push(names.ours("y"), Add { a: x, b: out })
    }

    /// Final norm, tied head, softcap and what the pass leaves behind.
    fn head(&self, g: &mut Graph, names: &Names, pass: &DecoderPass, x: Value) -> Result<(), ShapeError> {
        let rows = if pass.output == PassOutput::Score { RowChoice::All } else { pass.last_rows() };
        let at = names.at("norm", "norm");
        let weight = g.whole(at.own(), 1, self.width, Source::tensor(at.theirs("weight")))?;
        let normed = g.push("norm", RmsNorm { x, weight, residual: None, eps: self.eps, rows })?;
        let weight = self.embedding(g, names)?;
        let first_id = pass.ids.as_ref().map_or(0, |part| part.start);
        let linear = Linear { part: pass.ids.clone(), ..Linear::new(normed, weight, None) };
        let mut logits = g.push("logits", linear)?;
        if let Some(cap) = self.final_softcap {
            logits = g.push("capped", Activate { x: logits, activation: Activation::Map(Function::Softcap(cap)) })?;
        }
        if pass.output == PassOutput::Score {
            let ids = g.state(states::TARGETS, StateKind::Input, pass.rows(), 1)?;
            let scores = g.push("scores", LogSoftmax { logits, ids })?;
            return g.store(scores, states::SCORES, StateKind::Output);
        }
        if pass.ids.is_none() {
            g.store(logits, states::LOGITS, StateKind::Output)?;
        }
        let next_ids = g.state(states::NEXT_IDS, StateKind::Input, pass.sequences, 1)?;
        let choice = g.push("choice", ArgMax { logits, first_id, next_ids })?;
        g.store(choice, states::CHOICE, StateKind::Output)?;
        if let PassOutput::TopK(k) = pass.output {
            let top = g.push("top_k", TopK { logits, k })?;
            g.store(top, states::TOP_K, StateKind::Output)?;
        }
        Ok(())
    }

    fn rms_norm(&self, g: &mut Graph, names: &Names, x: Value) -> Result<Value, ShapeError> {
        let weight = g.whole(names.own(), 1, self.width, Source::tensor(names.theirs("weight")))?;
        g.push(names.own(), RmsNorm { x, weight, residual: None, eps: self.eps, rows: RowChoice::All })
    }
}
