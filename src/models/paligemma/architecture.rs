use serde_json::Value;

use super::mask_decoder::{CODEBOOK_TENSOR, mask_decoder};
use super::{CHECKPOINT, PaliGemmaConfig, PaliGemmaLanguage, SpecialIds};
use crate::base::{FieldError, Result};
use crate::format::CheckpointRules;
use crate::graph::{Graph, ShapeError, StateKind};
use crate::models::{Architecture, Decoder, DecoderPass, ImageInput, Language, Names, Part, Pass, Section, states};

/// PaliGemma 1 or 2.
#[derive(Debug, Clone)]
pub struct PaliGemma {
    config: PaliGemmaConfig,
}

impl PaliGemma {
    /// Of a `config.json` as Hugging Face has it.
    ///
    /// # Errors
    /// Fields that make no PaliGemma.
    pub fn from_hf(json: &Value) -> Result<Self, FieldError> {
        Ok(Self { config: PaliGemmaConfig::from_hf(json)? })
    }

    /// The model in numbers.
    pub fn config(&self) -> &PaliGemmaConfig {
        &self.config
    }

    /// The vision encoder and the projector: state `image` in, state `picture` `[P, D]` of the decoder's width out.
    fn encode_image(&self) -> Result<Graph, ShapeError> {
        let (v, width) = (&self.config.vision, self.config.decoder.width);
        let mut g = Graph::new("vision");
        let names = Names::new("vision", "vision_tower.vision_model");
        let x = v.encode(&mut g, &names, 1, [v.image_size; 2])?;
        g.mark("project");
        let normed = v.encoder.norm(&mut g, &names, x)?;
        let projector = Names::new("projector", "multi_modal_projector.linear");
        let picture = projector.linear(&mut g, normed, width, v.encoder.width)?;
        g.store(picture, states::PICTURE, StateKind::Output)?;
        Ok(g)
    }
}

impl Architecture for PaliGemma {
    fn name(&self) -> &'static str {
        "paligemma"
    }

    fn parts(&self) -> Vec<Part> {
        // Every pass of the decoder has the same weights: the smallest one tells them.
        let decode = DecoderPass::decode(1, 1);
        vec![
            Part { name: "vision", pass: Pass::EncodeImage, optional: None },
            Part { name: "decoder", pass: Pass::Decoder(decode), optional: None },
            Part { name: "mask_decoder", pass: Pass::DecodeMask, optional: Some(CODEBOOK_TENSOR) },
        ]
    }

    fn build(&self, pass: &Pass) -> Result<Graph, ShapeError> {
        match pass {
            Pass::EncodeImage => self.encode_image(),
            Pass::Decoder(pass) => self.config.decoder.pass(&Names::new("decoder", "language_model.model"), pass),
            Pass::DecodeMask => mask_decoder(),
            Pass::Images(_) => Err(ShapeError::NoPass("for images by themselves".into())),
            Pass::Texts { .. } => Err(ShapeError::NoPass("for texts by themselves".into())),
        }
    }

    fn image(&self) -> Option<ImageInput> {
        let v = &self.config.vision;
        Some(ImageInput { size: v.image_size, tokens: v.tokens(), width: self.config.decoder.width })
    }

    fn report(&self) -> Vec<Section> {
        let (v, t) = (&self.config.vision, &self.config.decoder);
        let vision = vec![
            ("width", v.encoder.width.into()),
            ("layers", v.encoder.layers.into()),
            ("heads", v.encoder.heads.into()),
            ("mlp", v.encoder.mlp.into()),
            ("image_size", v.image_size.into()),
            ("patch", v.patch.into()),
            ("tokens", v.tokens().into()),
        ];
        let decoder = vec![
            ("family", if t.post_norms { "gemma2" } else { "gemma" }.into()),
            ("width", t.width.into()),
            ("layers", t.layers.into()),
            ("heads", t.heads.into()),
            ("kv_heads", t.kv_heads.into()),
            ("head_dim", t.head_dim.into()),
            ("mlp", t.mlp.into()),
            ("vocabulary", t.vocabulary.into()),
            ("windows", t.windows.clone().into()),
        ];
        vec![Section { name: "vision", numbers: vision }, Section { name: "decoder", numbers: decoder }]
    }

    fn checkpoint_rules(&self) -> CheckpointRules {
        CHECKPOINT
    }

    fn reads_text(&self) -> bool {
        true
    }

    fn language(&self, tokenizer: &[u8]) -> Result<Box<dyn Language>> {
        let PaliGemmaConfig { bos_token, image_token, box_logprob_at_half, .. } = self.config;
        let special = SpecialIds { bos: bos_token, image: image_token };
        Ok(Box::new(PaliGemmaLanguage::load(tokenizer, special, box_logprob_at_half)?))
    }

    fn end_tokens(&self) -> Vec<u32> {
        self.config.eos_tokens.clone()
    }

    fn decoder(&self) -> Option<Decoder> {
        let t = &self.config.decoder;
        Some(Decoder { vocabulary: t.vocabulary, max_positions: t.max_positions })
    }
}
