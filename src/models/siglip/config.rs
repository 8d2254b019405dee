use serde_json::{Map, Value};

use super::TextTower;
use crate::base::{FieldError, Fields};
use crate::models::blocks::{ImageTower, Pooling, SIGLIP_POOL, VitConfig, labels_of};

/// A SigLIP in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct SiglipConfig {
    /// Its image encoder, if it has one.
    pub image: Option<ImageTower>,
    /// Its text encoder, if it has one.
    pub text: Option<TextTower>,
}

/// The `model_type`s of a SigLIP.
pub const MODEL_TYPES: [&str; 6] =
    ["siglip", "siglip2", "siglip_vision_model", "siglip2_vision_model", "siglip_text_model", "siglip2_text_model"];

impl SiglipConfig {
    /// Reads the contents of a `config.json` as transformers writes it: what is absent has transformers' default.
    ///
    /// # Errors
    /// A field that makes no SigLIP, or one that this version does not run.
    pub fn from_hf(json: &Value) -> Result<Self, FieldError> {
        let fields = Fields::of("config.json", json)?.with_remedy("Use a SigLIP or SigLIP 2 checkpoint.");
        let naflex = |kind: &str| kind.starts_with("siglip2");
        match fields.one_of("model_type", None, &MODEL_TYPES)? {
            kind @ ("siglip" | "siglip2") => Self::whole(&fields, naflex(kind)),
            kind @ ("siglip_vision_model" | "siglip2_vision_model") => {
                Ok(Self { image: Some(image(&fields, naflex(kind))?), text: None })
            }
            _ => Ok(Self { image: None, text: Some(TextTower::from_fields(&fields)?) }),
        }
    }

    /// Of a file that tells of both towers; a classifier has only one.
    fn whole(fields: &Fields<'_>, naflex: bool) -> Result<Self, FieldError> {
        // A tower that the file leaves out has every default.
        let nothing = Value::Object(Map::default());
        let nothing = Fields::of("config.json", &nothing)?;
        let part = |name: &str| Ok(fields.optional(name, |part| part.object())?.unwrap_or_else(|| nothing.clone()));
        let mut image = image(&part("vision_config")?, naflex)?;
        let classifies = fields.optional("architectures", |names| names.list())?.unwrap_or_default();
        if classifies
            .iter()
            .any(|name| name.value().as_str().is_some_and(|name| name.ends_with("ForImageClassification")))
        {
            image = ImageTower { pooling: Pooling::Mean, head: Some(("classifier", labels_of(fields)?)), ..image };
            return Ok(Self { image: Some(image), text: None });
        }
        Ok(Self { image: Some(image), text: Some(TextTower::from_fields(&part("text_config")?)?) })
    }
}

fn image(fields: &Fields<'_>, naflex: bool) -> Result<ImageTower, FieldError> {
    let vit = if naflex { VitConfig::from_siglip2(fields)? } else { VitConfig::from_siglip(fields)? };
    let pooling = if fields.bool("vision_use_head", true)? { Pooling::Attention(SIGLIP_POOL) } else { Pooling::None };
    let budget = naflex.then_some(vit.tokens());
    Ok(ImageTower { vit, budget, pooling, pooled_norm: None, head: None })
}
