use serde_json::{Value, json};

/// What the shapes of a model's weights tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// D of the tower.
    pub vision_width: usize,
    /// L of the tower.
    pub vision_layers: usize,
    /// H of the tower.
    pub vision_heads: usize,
    /// F of the tower.
    pub vision_mlp: usize,
    /// Pixels along one side of a patch.
    pub patch: usize,
    /// Patches along one side of the picture.
    pub grid: usize,
    /// D of the decoder.
    pub width: usize,
    /// L of the decoder.
    pub layers: usize,
    /// H, query heads.
    pub heads: usize,
    /// G, key and value heads.
    pub kv_heads: usize,
    /// K, width of a head.
    pub head_dim: usize,
    /// F of the decoder.
    pub mlp: usize,
    /// V, rows of the embedding.
    pub vocabulary: usize,
    /// Norms after attention and after the MLP.
    pub post_norms: bool,
}

/// Ids that the tokenizer tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpecialTokens {
    /// `<image>`.
    pub image: u32,
    /// `<bos>`.
    pub bos: u32,
    /// `<eos>`.
    pub eos: u32,
}

/// What the shapes of a model's weights do not tell: how queries are scaled and scores are capped.
///
/// Common to all: LayerNorm and RMSNorm with 1e-6, rotary base 10,000, 8,192 positions, GELU by its tanh approximation,
/// and attention to the whole text in every layer. Gemma 2's sliding window, which transformers has by default, is left
/// out as big_vision leaves it out; it is wider than all prompts but those of 896 pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Gemma 1: no caps; queries scaled by the width of a head.
    PaliGemma,
    /// Gemma 2 of 2B and 9B: scores capped at 50, logits at 30; queries scaled by the width of a head.
    PaliGemma2,
    /// Gemma 2 of 27B: the same caps; queries scaled by model width over heads.
    PaliGemma2Of28B,
}

impl Preset {
    /// The preset of a model that has published sizes; Gemma 1 leaves no choice.
    pub fn of(sizes: &Sizes) -> Option<Self> {
        if !sizes.post_norms {
            return Some(Self::PaliGemma);
        }
        match (sizes.width, sizes.layers, sizes.heads, sizes.head_dim) {
            (2304, 26, 8, 256) | (3584, 42, 16, 256) => Some(Self::PaliGemma2),
            (4608, 46, 32, 128) => Some(Self::PaliGemma2Of28B),
            _ => None,
        }
    }

    /// Its name in options and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::PaliGemma => "paligemma",
            Self::PaliGemma2 => "paligemma2",
            Self::PaliGemma2Of28B => "paligemma2-28b",
        }
    }

    /// Whether a model of these sizes can be one.
    pub fn fits(self, sizes: &Sizes) -> bool {
        sizes.post_norms == (self != Self::PaliGemma)
    }

    /// The `config.json` of a model.
    pub fn config(self, sizes: &Sizes, tokens: SpecialTokens) -> Value {
        let mut text = json!({
            "model_type": if sizes.post_norms { "gemma2" } else { "gemma" },
            "hidden_size": sizes.width,
            "num_hidden_layers": sizes.layers,
            "num_attention_heads": sizes.heads,
            "num_key_value_heads": sizes.kv_heads,
            "head_dim": sizes.head_dim,
            "intermediate_size": sizes.mlp,
            "vocab_size": sizes.vocabulary,
            "max_position_embeddings": 8192,
            "rms_norm_eps": 1e-6,
            "rope_theta": 10_000.0,
        });
        if sizes.post_norms {
            let per_head = sizes.width / sizes.heads.max(1);
            let scalar = if self == Self::PaliGemma2Of28B { per_head } else { sizes.head_dim };
            text["query_pre_attn_scalar"] = scalar.into();
            text["attn_logit_softcapping"] = 50.0.into();
            text["final_logit_softcapping"] = 30.0.into();
            text["sliding_window"] = Value::Null;
        }
        json!({
            "model_type": "paligemma",
            "image_token_index": tokens.image,
            "bos_token_id": tokens.bos,
            "eos_token_id": tokens.eos,
            "text_config": text,
            "vision_config": {
                "model_type": "siglip_vision_model",
                "hidden_size": sizes.vision_width,
                "num_hidden_layers": sizes.vision_layers,
                "num_attention_heads": sizes.vision_heads,
                "intermediate_size": sizes.vision_mlp,
                "image_size": sizes.grid * sizes.patch,
                "patch_size": sizes.patch,
                "layer_norm_eps": 1e-6,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::paligemma::PaliGemmaConfig;

    /// PaliGemma 2 of 28B at 224 pixels.
    const SIZES: Sizes = Sizes {
        vision_width: 1152,
        vision_layers: 27,
        vision_heads: 16,
        vision_mlp: 4304,
        patch: 14,
        grid: 16,
        width: 4608,
        layers: 46,
        heads: 32,
        kv_heads: 16,
        head_dim: 128,
        mlp: 36864,
        vocabulary: 257_152,
        post_norms: true,
    };
    const TOKENS: SpecialTokens = SpecialTokens { image: 257_152, bos: 2, eos: 1 };

    #[test]
    fn published_sizes_have_their_preset_and_others_none() {
        let of = |width, layers, heads, head_dim, post_norms| {
            Preset::of(&Sizes { width, layers, heads, head_dim, post_norms, ..SIZES })
        };
        assert_eq!(of(2048, 18, 8, 256, false), Some(Preset::PaliGemma));
        assert_eq!(of(2304, 26, 8, 256, true), Some(Preset::PaliGemma2));
        assert_eq!(of(3584, 42, 16, 256, true), Some(Preset::PaliGemma2));
        assert_eq!(of(4608, 46, 32, 128, true), Some(Preset::PaliGemma2Of28B));
        assert_eq!(of(2304, 26, 8, 128, true), None);
    }

    #[test]
    fn presets_give_the_numbers_that_shapes_do_not_tell() {
        let large = PaliGemmaConfig::from_hf(&Preset::PaliGemma2Of28B.config(&SIZES, TOKENS)).expect("a config");
        assert_eq!(large.decoder.query_scale, 144f32.powf(-0.5));
        assert_eq!((large.decoder.attention_softcap, large.decoder.final_softcap), (Some(50.0), Some(30.0)));
        assert!(large.decoder.windows.iter().all(Option::is_none));
        assert_eq!((large.vision.image_size, large.vision.tokens(), large.image_token), (224, 256, 257_152));

        let sizes = Sizes { width: 2304, heads: 8, kv_heads: 4, head_dim: 256, ..SIZES };
        let small = PaliGemmaConfig::from_hf(&Preset::PaliGemma2.config(&sizes, TOKENS)).expect("a config");
        assert_eq!(small.decoder.query_scale, 256f32.powf(-0.5));

        let sizes = Sizes { width: 2048, heads: 8, kv_heads: 1, head_dim: 256, post_norms: false, ..SIZES };
        let first = PaliGemmaConfig::from_hf(&Preset::PaliGemma.config(&sizes, TOKENS)).expect("a config");
        assert_eq!((first.decoder.attention_softcap, first.decoder.final_softcap), (None, None));
        assert_eq!((first.decoder.query_scale, first.decoder.post_norms), (256f32.powf(-0.5), false));
    }
}
