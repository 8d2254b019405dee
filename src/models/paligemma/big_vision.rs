//! How big_vision names and lays out the weights of a PaliGemma, and what published checkpoints make of them.
//!
//! Letters are axes, see [`Rule`]:
//!
//! | axis | tower | axis | decoder |
//! | --- | --- | --- | --- |
//! | `L` | layers | `l` | layers |
//! | `e` | width | `d` | width |
//! | `a`, `k` | heads, width of a head | `n`, `h` | query heads, width of a head |
//! | `m` | MLP | `f` | MLP |
//! | `p`, `q`, `c` | a patch's rows, columns, channels | `g` | key heads |
//! | `t` | patches | `v` | vocabulary |
//!
//! <https://github.com/google-research/big_vision>: `models/proj/paligemma/paligemma.py`, `models/ppp/gemma.py`,
//! `models/vit.py`.

use crate::format::{ArchiveRules, Rule, Target, Variant};

const fn one(from: &'static str, axes: &'static str, to: &'static [Target]) -> Rule {
    Rule { from, axes, to }
}

const fn to(name: &'static str, rows: &'static str, columns: &'static str) -> Target {
    Target { name, rows, columns }
}

macro_rules! tower {
    ($leaf:literal) => {
        concat!("vision_tower.vision_model.", $leaf)
    };
}

macro_rules! block {
    ($leaf:literal) => {
        concat!("vision_tower.vision_model.encoder.layers.{}.", $leaf)
    };
}

macro_rules! layer {
    ($leaf:literal) => {
        concat!("language_model.model.layers.{}.", $leaf)
    };
}

macro_rules! encoder {
    ($leaf:literal) => {
        concat!("img/Transformer/encoderblock/", $leaf)
    };
}

macro_rules! attention {
    ($leaf:literal) => {
        concat!("img/Transformer/encoderblock/MultiHeadDotProductAttention_0/", $leaf)
    };
}

/// The variant whose blocks have a norm after attention and after the MLP.
pub const GEMMA2_NAME: &str = "Gemma 2";

/// How big_vision's archives of PaliGemma are read.
pub const ARCHIVE: ArchiveRules = ArchiveRules {
    kind: "PaliGemma of big_vision",
    common: COMMON,
    variants: &[
        Variant { name: GEMMA2_NAME, mark: Some(POST_NORM), rules: GEMMA2 },
        Variant { name: "Gemma 1", mark: None, rules: GEMMA1 },
    ],
};

/// What every PaliGemma has.
const COMMON: &[Rule] = &[
    one("img/embedding/kernel", "pqce", &[to(tower!("embeddings.patch_embedding.weight"), "e", "cpq")]),
    one("img/embedding/bias", "e", &[to(tower!("embeddings.patch_embedding.bias"), "e", "")]),
    one("img/pos_embedding", "1te", &[to(tower!("embeddings.position_embedding.weight"), "t", "e")]),
    one(encoder!("LayerNorm_0/scale"), "Le", &[to(block!("layer_norm1.weight"), "e", "")]),
    one(encoder!("LayerNorm_0/bias"), "Le", &[to(block!("layer_norm1.bias"), "e", "")]),
    one(encoder!("LayerNorm_1/scale"), "Le", &[to(block!("layer_norm2.weight"), "e", "")]),
    one(encoder!("LayerNorm_1/bias"), "Le", &[to(block!("layer_norm2.bias"), "e", "")]),
    one(attention!("query/kernel"), "Leak", &[to(block!("self_attn.q_proj.weight"), "ak", "e")]),
    one(attention!("query/bias"), "Lak", &[to(block!("self_attn.q_proj.bias"), "ak", "")]),
    one(attention!("key/kernel"), "Leak", &[to(block!("self_attn.k_proj.weight"), "ak", "e")]),
    one(attention!("key/bias"), "Lak", &[to(block!("self_attn.k_proj.bias"), "ak", "")]),
    one(attention!("value/kernel"), "Leak", &[to(block!("self_attn.v_proj.weight"), "ak", "e")]),
    one(attention!("value/bias"), "Lak", &[to(block!("self_attn.v_proj.bias"), "ak", "")]),
    one(attention!("out/kernel"), "Lake", &[to(block!("self_attn.out_proj.weight"), "e", "ak")]),
    one(attention!("out/bias"), "Le", &[to(block!("self_attn.out_proj.bias"), "e", "")]),
    one(encoder!("MlpBlock_0/Dense_0/kernel"), "Lem", &[to(block!("mlp.fc1.weight"), "m", "e")]),
    one(encoder!("MlpBlock_0/Dense_0/bias"), "Lm", &[to(block!("mlp.fc1.bias"), "m", "")]),
    one(encoder!("MlpBlock_0/Dense_1/kernel"), "Lme", &[to(block!("mlp.fc2.weight"), "e", "m")]),
    one(encoder!("MlpBlock_0/Dense_1/bias"), "Le", &[to(block!("mlp.fc2.bias"), "e", "")]),
    one("img/Transformer/encoder_norm/scale", "e", &[to(tower!("post_layernorm.weight"), "e", "")]),
    one("img/Transformer/encoder_norm/bias", "e", &[to(tower!("post_layernorm.bias"), "e", "")]),
    one("img/head/kernel", "ed", &[to("multi_modal_projector.linear.weight", "d", "e")]),
    one("img/head/bias", "d", &[to("multi_modal_projector.linear.bias", "d", "")]),
    one("llm/embedder/input_embedding", "vd", &[to("language_model.model.embed_tokens.weight", "v", "d")]),
    one("llm/layers/attn/q_einsum/w", "lndh", &[to(layer!("self_attn.q_proj.weight"), "nh", "d")]),
    one(
        "llm/layers/attn/kv_einsum/w",
        "l2gdh",
        &[to(layer!("self_attn.k_proj.weight"), "gh", "d"), to(layer!("self_attn.v_proj.weight"), "gh", "d")],
    ),
    one("llm/layers/attn/attn_vec_einsum/w", "lnhd", &[to(layer!("self_attn.o_proj.weight"), "d", "nh")]),
    one(
        "llm/layers/mlp/gating_einsum",
        "l2df",
        &[to(layer!("mlp.gate_proj.weight"), "f", "d"), to(layer!("mlp.up_proj.weight"), "f", "d")],
    ),
    one("llm/layers/mlp/linear", "lfd", &[to(layer!("mlp.down_proj.weight"), "d", "f")]),
    one("llm/layers/pre_attention_norm/scale", "ld", &[to(layer!("input_layernorm.weight"), "d", "")]),
    one("llm/final_norm/scale", "d", &[to("language_model.model.norm.weight", "d", "")]),
];

/// The other norm of Gemma 1.
const GEMMA1: &[Rule] =
    &[one("llm/layers/pre_ffw_norm/scale", "ld", &[to(layer!("post_attention_layernorm.weight"), "d", "")])];

/// The other norms of Gemma 2.
const GEMMA2: &[Rule] = &[
    one(POST_NORM, "ld", &[to(layer!("post_attention_layernorm.weight"), "d", "")]),
    one("llm/layers/pre_ffw_norm/scale", "ld", &[to(layer!("pre_feedforward_layernorm.weight"), "d", "")]),
    one("llm/layers/post_ffw_norm/scale", "ld", &[to(layer!("post_feedforward_layernorm.weight"), "d", "")]),
];

/// What Gemma 2 has and Gemma 1 has not.
const POST_NORM: &str = "llm/layers/post_attention_norm/scale";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_axis_of_a_rule_is_used_once() {
        for rule in COMMON.iter().chain(GEMMA1).chain(GEMMA2) {
            for target in rule.to {
                let mut used: Vec<char> = target.rows.chars().chain(target.columns.chars()).collect();
                used.extend(rule.axes.chars().filter(|axis| "Ll12".contains(*axis)));
                used.sort_unstable();
                let mut axes: Vec<char> = rule.axes.chars().collect();
                axes.sort_unstable();
                assert_eq!(used, axes, "{}", target.name);
                assert_eq!(target.name.contains("{}"), rule.axes.starts_with(['L', 'l']), "{}", target.name);
            }
            assert_eq!(rule.to.len(), if rule.axes.contains('2') { 2 } else { 1 }, "{}", rule.from);
        }
    }

    #[test]
    fn no_tensor_comes_from_two_arrays() {
        for other in [GEMMA1, GEMMA2] {
            let names: Vec<&str> = COMMON.iter().chain(other).flat_map(|rule| rule.to).map(|to| to.name).collect();
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        }
    }
}
