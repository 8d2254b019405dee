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

use crate::format::{ArchiveRules, Rule, Variant};
use crate::models::blocks::big_vision::{encoder_rules, rule, to};

macro_rules! tower {
    ($leaf:literal) => {
        concat!("vision_tower.vision_model.", $leaf)
    };
}

macro_rules! layer {
    ($leaf:literal) => {
        concat!("language_model.model.layers.{}.", $leaf)
    };
}

/// The variant whose blocks have a norm after attention and after the MLP.
pub const GEMMA2_NAME: &str = "Gemma 2";

/// How big_vision's archives of PaliGemma are read.
pub const ARCHIVE: ArchiveRules = ArchiveRules {
    kind: "PaliGemma of big_vision",
    mark: "llm/embedder/input_embedding",
    common: &[COMMON, TOWER_BLOCKS],
    refused: &[],
    variants: &[
        Variant { name: GEMMA2_NAME, mark: Some(POST_NORM), rules: GEMMA2 },
        Variant { name: "Gemma 1", mark: None, rules: GEMMA1 },
    ],
};

/// What every PaliGemma has.
const COMMON: &[Rule] = &[
    rule("img/embedding/kernel", "pqce", &[to(tower!("embeddings.patch_embedding.weight"), "e", "cpq")]),
    rule("img/embedding/bias", "e", &[to(tower!("embeddings.patch_embedding.bias"), "e", "")]),
    rule("img/pos_embedding", "1te", &[to(tower!("embeddings.position_embedding.weight"), "t", "e")]),
    rule("img/Transformer/encoder_norm/scale", "e", &[to(tower!("post_layernorm.weight"), "e", "")]),
    rule("img/Transformer/encoder_norm/bias", "e", &[to(tower!("post_layernorm.bias"), "e", "")]),
    rule("img/head/kernel", "ed", &[to("multi_modal_projector.linear.weight", "d", "e")]),
    rule("img/head/bias", "d", &[to("multi_modal_projector.linear.bias", "d", "")]),
    rule("llm/embedder/input_embedding", "vd", &[to("language_model.model.embed_tokens.weight", "v", "d")]),
    rule("llm/layers/attn/q_einsum/w", "lndh", &[to(layer!("self_attn.q_proj.weight"), "nh", "d")]),
    rule(
        "llm/layers/attn/kv_einsum/w",
        "l2gdh",
        &[to(layer!("self_attn.k_proj.weight"), "gh", "d"), to(layer!("self_attn.v_proj.weight"), "gh", "d")],
    ),
    rule("llm/layers/attn/attn_vec_einsum/w", "lnhd", &[to(layer!("self_attn.o_proj.weight"), "d", "nh")]),
    rule(
        "llm/layers/mlp/gating_einsum",
        "l2df",
        &[to(layer!("mlp.gate_proj.weight"), "f", "d"), to(layer!("mlp.up_proj.weight"), "f", "d")],
    ),
    rule("llm/layers/mlp/linear", "lfd", &[to(layer!("mlp.down_proj.weight"), "d", "f")]),
    rule("llm/layers/pre_attention_norm/scale", "ld", &[to(layer!("input_layernorm.weight"), "d", "")]),
    rule("llm/final_norm/scale", "d", &[to("language_model.model.norm.weight", "d", "")]),
];

/// The tower's blocks.
const TOWER_BLOCKS: &[Rule] =
    &encoder_rules!("img/Transformer/encoderblock", "vision_tower.vision_model.encoder.layers.{}", "L" "e" "a" "k" "m");

/// The other norm of Gemma 1.
const GEMMA1: &[Rule] =
    &[rule("llm/layers/pre_ffw_norm/scale", "ld", &[to(layer!("post_attention_layernorm.weight"), "d", "")])];

/// The other norms of Gemma 2.
const GEMMA2: &[Rule] = &[
    rule(POST_NORM, "ld", &[to(layer!("post_attention_layernorm.weight"), "d", "")]),
    rule("llm/layers/pre_ffw_norm/scale", "ld", &[to(layer!("pre_feedforward_layernorm.weight"), "d", "")]),
    rule("llm/layers/post_ffw_norm/scale", "ld", &[to(layer!("post_feedforward_layernorm.weight"), "d", "")]),
];

/// What Gemma 2 has and Gemma 1 has not.
const POST_NORM: &str = "llm/layers/post_attention_norm/scale";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_axis_of_a_rule_is_used_once() {
        for rule in COMMON.iter().chain(TOWER_BLOCKS).chain(GEMMA1).chain(GEMMA2) {
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
            let names: Vec<&str> =
                COMMON.iter().chain(TOWER_BLOCKS).chain(other).flat_map(|rule| rule.to).map(|to| to.name).collect();
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        }
    }
}
