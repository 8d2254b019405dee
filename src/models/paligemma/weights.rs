use super::PaliGemmaConfig;
use crate::models::{Source, WeightSpec};

/// All weights of a PaliGemma in order of execution, with their names in a Hugging Face checkpoint.
pub fn weights(config: &PaliGemmaConfig) -> Vec<WeightSpec> {
    let mut specs = Vec::new();
    vision(config, &mut specs);
    decoder(config, &mut specs);
    specs
}

/// Whether a weight is needed to encode a picture; the decoder needs the others.
pub fn of_tower(name: &str) -> bool {
    name.starts_with("vision.") || name.starts_with("projector")
}

fn vector(name: String, k: usize, sources: Vec<String>) -> WeightSpec {
    WeightSpec::exact(name, 1, k, Source::Concat(sources))
}

fn vision(config: &PaliGemmaConfig, specs: &mut Vec<WeightSpec>) {
    let v = &config.vision;
    let (d, f) = (v.width, v.mlp);
    let hf = "vision_tower.vision_model";
    let patch = format!("{hf}.embeddings.patch_embedding");
    specs.push(WeightSpec::matrix("vision.patch", d, 3 * v.patch * v.patch, Source::tensor(format!("{patch}.weight"))));
    specs.push(vector("vision.patch.bias".into(), d, vec![format!("{patch}.bias")]));
    let position = Source::tensor(format!("{hf}.embeddings.position_embedding.weight"));
    specs.push(WeightSpec::exact("vision.position", v.tokens(), d, position));
    for i in 0..v.layers {
        let from = format!("{hf}.encoder.layers.{i}");
        let to = format!("vision.{i}");
        let qkv =
            |part: &str| Source::Concat(["q", "k", "v"].map(|x| format!("{from}.self_attn.{x}_proj.{part}")).into());
        let tensor = |name: &str, part: &str| Source::tensor(format!("{from}.{name}.{part}"));
        for norm in ["layer_norm1", "layer_norm2"] {
            for part in ["weight", "bias"] {
                specs.push(WeightSpec::exact(format!("{to}.{norm}.{part}"), 1, d, tensor(norm, part)));
            }
        }
        specs.push(WeightSpec::matrix(format!("{to}.qkv"), 3 * d, d, qkv("weight")));
        specs.push(WeightSpec::exact(format!("{to}.qkv.bias"), 1, 3 * d, qkv("bias")));
        for (name, hf_name, rows, k) in
            [("out", "self_attn.out_proj", d, d), ("fc1", "mlp.fc1", f, d), ("fc2", "mlp.fc2", d, f)]
        {
            specs.push(WeightSpec::matrix(format!("{to}.{name}"), rows, k, tensor(hf_name, "weight")));
            specs.push(WeightSpec::exact(format!("{to}.{name}.bias"), 1, rows, tensor(hf_name, "bias")));
        }
    }
    for part in ["weight", "bias"] {
        specs.push(vector(format!("vision.norm.{part}"), d, vec![format!("{hf}.post_layernorm.{part}")]));
    }
    let projector = "multi_modal_projector.linear";
    let rows = config.decoder.width;
    specs.push(WeightSpec::matrix("projector", rows, d, Source::tensor(format!("{projector}.weight"))));
    specs.push(vector("projector.bias".into(), rows, vec![format!("{projector}.bias")]));
}

fn decoder(config: &PaliGemmaConfig, specs: &mut Vec<WeightSpec>) {
    let t = &config.decoder;
    let (d, f, q, kv) = (t.width, t.mlp, t.heads * t.head_dim, t.kv_heads * t.head_dim);
    let hf = "language_model.model";
    specs.push(WeightSpec::matrix(
        "decoder.embed",
        t.vocabulary,
        d,
        Source::tensor(format!("{hf}.embed_tokens.weight")),
    ));
    for i in 0..t.layers {
        let from = format!("{hf}.layers.{i}");
        let to = format!("decoder.{i}");
        let qkv = ["q", "k", "v"].map(|x| format!("{from}.self_attn.{x}_proj.weight")).to_vec();
        specs.push(WeightSpec::matrix(format!("{to}.qkv"), q + 2 * kv, d, Source::Concat(qkv)));
        let out = Source::tensor(format!("{from}.self_attn.o_proj.weight"));
        specs.push(WeightSpec::matrix(format!("{to}.out"), d, q, out));
        let [gate, up] = ["gate", "up"].map(|x| format!("{from}.mlp.{x}_proj.weight"));
        specs.push(WeightSpec::matrix(format!("{to}.gate_up"), 2 * f, d, Source::Interleave(gate, up)));
        let down = Source::tensor(format!("{from}.mlp.down_proj.weight"));
        specs.push(WeightSpec::matrix(format!("{to}.down"), d, f, down));
        for (name, hf_name) in norms(t.post_norms) {
            specs.push(vector(format!("{to}.{name}"), d, vec![format!("{from}.{hf_name}.weight")]));
        }
    }
    specs.push(vector("decoder.norm".into(), d, vec![format!("{hf}.norm.weight")]));
}

/// A block's norms: ours and the checkpoint's names.
///
/// `post_attention_layernorm` is the norm *before* the MLP in Gemma 1 and the norm *after* attention in Gemma 2.
fn norms(post_norms: bool) -> &'static [(&'static str, &'static str)] {
    if post_norms {
        &[
            ("pre_attention_norm", "input_layernorm"),
            ("post_attention_norm", "post_attention_layernorm"),
            ("pre_mlp_norm", "pre_feedforward_layernorm"),
            ("post_mlp_norm", "post_feedforward_layernorm"),
        ]
    } else {
        &[("pre_attention_norm", "input_layernorm"), ("pre_mlp_norm", "post_attention_layernorm")]
    }
}
