//! How big_vision names and lays out the weights of a SigLIP, and what Hugging Face's checkpoints make of them.
//!
//! Letters are axes, see [`Rule`]:
//!
//! | axis | image encoder | axis | text encoder |
//! | --- | --- | --- | --- |
//! | `L` | layers | `l` | layers |
//! | `e` | width | `d` | width |
//! | `a`, `k` | heads, width of a head | `n`, `h` | heads, width of a head |
//! | `m` | MLP | `f` | MLP |
//! | `p`, `q`, `c` | a patch's rows, columns, channels | `s` | ids of a text |
//! | `x` | a patch's values, of encoders for any size | `v` | vocabulary |
//! | `t` | positions | `o` | width of the embedding |
//! | `y`, `z` | rows and columns of positions, of encoders for any size | | |
//!
//! <https://github.com/google-research/big_vision>: `models/proj/image_text/two_towers.py`, `text_transformer.py`,
//! `naflex_vit.py`, `models/vit.py`.

use crate::format::{ArchiveRules, Rule, Variant};
use crate::models::blocks::big_vision::{encoder_rules, rule, to};

/// How big_vision's archives of SigLIP are read.
pub const ARCHIVE: ArchiveRules = ArchiveRules {
    kind: "SigLIP of big_vision",
    mark: "txt/Embed_0/embedding",
    common: &[IMAGE, IMAGE_BLOCKS, POOL, TEXT, TEXT_BLOCKS],
    // Old files had a second table of positions, to be added to the first.
    refused: &["txt/Encoder_0/pos_embedding"],
    variants: &[
        Variant { name: TEXT_HEAD_NAME, mark: Some("txt/head/kernel"), rules: TEXT_HEAD },
        Variant { name: "no text head", mark: None, rules: &[] },
    ],
};

/// The variant whose text encoder has a layer after its last row.
pub const TEXT_HEAD_NAME: &str = "text head";

const IMAGE: &[Rule] = &[
    rule("img/embedding/kernel", "pqce", &[to("vision_model.embeddings.patch_embedding.weight", "e", "cpq")]),
    rule("img/embedding/kernel", "xe", &[to("vision_model.embeddings.patch_embedding.weight", "e", "x")]),
    rule("img/embedding/bias", "e", &[to("vision_model.embeddings.patch_embedding.bias", "e", "")]),
    rule("img/pos_embedding", "1te", &[to("vision_model.embeddings.position_embedding.weight", "t", "e")]),
    rule("img/pos_embedding", "yze", &[to("vision_model.embeddings.position_embedding.weight", "yz", "e")]),
    rule("img/Transformer/encoder_norm/scale", "e", &[to("vision_model.post_layernorm.weight", "e", "")]),
    rule("img/Transformer/encoder_norm/bias", "e", &[to("vision_model.post_layernorm.bias", "e", "")]),
];

const IMAGE_BLOCKS: &[Rule] =
    &encoder_rules!("img/Transformer/encoderblock", "vision_model.encoder.layers.{}", "L" "e" "a" "k" "m");

macro_rules! head {
    ($leaf:literal) => {
        concat!("vision_model.head.", $leaf)
    };
}

macro_rules! attention {
    ($leaf:literal) => {
        concat!("img/MAPHead_0/MultiHeadDotProductAttention_0/", $leaf)
    };
}

const POOL: &[Rule] = &[
    rule("img/MAPHead_0/probe", "11e", &[to(head!("probe"), "e", "")]),
    rule(attention!("query/kernel"), "eak", &[to(head!("attention.q_proj.weight"), "ak", "e")]),
    rule(attention!("query/bias"), "ak", &[to(head!("attention.q_proj.bias"), "ak", "")]),
    rule(attention!("key/kernel"), "eak", &[to(head!("attention.k_proj.weight"), "ak", "e")]),
    rule(attention!("key/bias"), "ak", &[to(head!("attention.k_proj.bias"), "ak", "")]),
    rule(attention!("value/kernel"), "eak", &[to(head!("attention.v_proj.weight"), "ak", "e")]),
    rule(attention!("value/bias"), "ak", &[to(head!("attention.v_proj.bias"), "ak", "")]),
    rule(attention!("out/kernel"), "ake", &[to(head!("attention.out_proj.weight"), "e", "ak")]),
    rule(attention!("out/bias"), "e", &[to(head!("attention.out_proj.bias"), "e", "")]),
    rule("img/MAPHead_0/LayerNorm_0/scale", "e", &[to(head!("layernorm.weight"), "e", "")]),
    rule("img/MAPHead_0/LayerNorm_0/bias", "e", &[to(head!("layernorm.bias"), "e", "")]),
    rule("img/MAPHead_0/MlpBlock_0/Dense_0/kernel", "em", &[to(head!("mlp.fc1.weight"), "m", "e")]),
    rule("img/MAPHead_0/MlpBlock_0/Dense_0/bias", "m", &[to(head!("mlp.fc1.bias"), "m", "")]),
    rule("img/MAPHead_0/MlpBlock_0/Dense_1/kernel", "me", &[to(head!("mlp.fc2.weight"), "e", "m")]),
    rule("img/MAPHead_0/MlpBlock_0/Dense_1/bias", "e", &[to(head!("mlp.fc2.bias"), "e", "")]),
];

const TEXT: &[Rule] = &[
    rule("txt/Embed_0/embedding", "vd", &[to("text_model.embeddings.token_embedding.weight", "v", "d")]),
    rule("txt/pos_embedding", "1sd", &[to("text_model.embeddings.position_embedding.weight", "s", "d")]),
    rule("txt/Encoder_0/encoder_norm/scale", "d", &[to("text_model.final_layer_norm.weight", "d", "")]),
    rule("txt/Encoder_0/encoder_norm/bias", "d", &[to("text_model.final_layer_norm.bias", "d", "")]),
    rule("t", "1", &[to("logit_scale", "1", "")]),
    rule("b", "1", &[to("logit_bias", "1", "")]),
];

const TEXT_BLOCKS: &[Rule] =
    &encoder_rules!("txt/Encoder_0/encoderblock", "text_model.encoder.layers.{}", "l" "d" "n" "h" "f");

const TEXT_HEAD: &[Rule] = &[
    rule("txt/head/kernel", "do", &[to("text_model.head.weight", "o", "d")]),
    rule("txt/head/bias", "o", &[to("text_model.head.bias", "o", "")]),
];
