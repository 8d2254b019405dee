use serde_json::Value;

use super::checkpoint::{TEXT, VISION, text_alone, vision_alone, whole};
use super::{SiglipConfig, SiglipText};
use crate::base::{FieldError, Result};
use crate::format::CheckpointRules;
use crate::graph::{Graph, ShapeError, Source};
use crate::image::Preprocessor;
use crate::models::{Architecture, Encoders, Names, Part, Pass, Section, TextIds};

/// SigLIP 1 or 2, or a part of one.
#[derive(Debug, Clone)]
pub struct Siglip {
    config: SiglipConfig,
}

impl Siglip {
    /// Of a `config.json` as Hugging Face has it.
    ///
    /// # Errors
    /// Fields that make no SigLIP.
    pub fn from_hf(json: &Value) -> Result<Self, FieldError> {
        Ok(Self { config: SiglipConfig::from_hf(json)? })
    }

    /// The model in numbers.
    pub fn config(&self) -> &SiglipConfig {
        &self.config
    }

    /// Whether scores of pairs can be told: both towers are there, and so a scale and a bias.
    fn compares(&self) -> bool {
        self.config.image.is_some() && self.config.text.is_some()
    }
}

impl Architecture for Siglip {
    fn name(&self) -> &'static str {
        "siglip"
    }

    fn parts(&self) -> Vec<Part> {
        let image = self.config.image.as_ref().map(|tower| ("image", Pass::Images(tower.whole())));
        let text = self.config.text.as_ref().map(|_| ("text", Pass::Texts { count: 1 }));
        image.into_iter().chain(text).map(|(name, pass)| Part { name, pass, optional: None }).collect()
    }

    fn build(&self, pass: &Pass) -> Result<Graph, ShapeError> {
        match (pass, &self.config.image, &self.config.text) {
            (Pass::Images(pass), Some(tower), _) => tower.pass(&Names::new("image", VISION), pass),
            (Pass::Texts { count }, _, Some(tower)) => {
                let mut g = tower.pass(&Names::new("text", TEXT), *count)?;
                if self.compares() {
                    for weight in ["logit_scale", "logit_bias"] {
                        g.whole(weight, 1, 1, Source::tensor(weight))?;
                    }
                }
                Ok(g)
            }
            _ => Err(ShapeError::NoPass(format!("{pass:?}"))),
        }
    }

    fn report(&self) -> Vec<Section> {
        let image = self.config.image.as_ref().map(|tower| Section { name: "image", numbers: tower.numbers() });
        let text = self.config.text.as_ref().map(|tower| {
            let numbers = vec![
                ("width", tower.encoder.width.into()),
                ("layers", tower.encoder.layers.into()),
                ("heads", tower.encoder.heads.into()),
                ("mlp", tower.encoder.mlp.into()),
                ("vocabulary", tower.vocabulary.into()),
                ("length", tower.length.into()),
                ("embedding", tower.embedding.into()),
            ];
            Section { name: "text", numbers }
        });
        image.into_iter().chain(text).collect()
    }

    fn checkpoint_rules(&self) -> CheckpointRules {
        match (&self.config.image, &self.config.text) {
            (Some(_), None) => vision_alone(),
            (None, Some(_)) => text_alone(),
            _ => whole(),
        }
    }

    fn foreign_tensors(&self) -> Vec<String> {
        let image = self.config.image.iter().flat_map(|tower| tower.foreign_tensors(&Names::new("image", VISION)));
        let text = self.config.text.iter().flat_map(|tower| tower.encoder.foreign_tensors(&Names::new("text", TEXT)));
        image.chain(text).collect()
    }

    fn reads_text(&self) -> bool {
        self.config.text.is_some()
    }

    fn preprocessor(&self, processor: Option<&Value>) -> Result<Preprocessor> {
        let no_images = || ShapeError::NoPass("for images".into());
        let tower = self.config.image.as_ref().ok_or_else(no_images)?;
        Ok(match tower.budget {
            None => Preprocessor::from_hf(processor, tower.vit.image_size)?,
            Some(budget) => Preprocessor::patches(processor, tower.vit.patch, budget)?,
        })
    }

    fn encoders(&self) -> Encoders {
        Encoders {
            image: self.config.image.as_ref().map(|tower| tower.encoder()),
            text: self.config.text.as_ref().map(|tower| tower.text_encoder(self.compares())),
        }
    }

    fn text_ids(&self, tokenizer: &[u8], config: Option<&Value>) -> Result<Box<dyn TextIds>> {
        let tower = self.config.text.as_ref().ok_or_else(|| ShapeError::NoPass("for texts".into()))?;
        Ok(Box::new(SiglipText::load(tokenizer, config, tower.length, tower.vocabulary)?))
    }
}
