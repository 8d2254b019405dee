use serde_json::Value;

use crate::base::{FieldError, Fields};
use crate::models::blocks::{GemmaConfig, VitConfig};

/// A PaliGemma model in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct PaliGemmaConfig {
    /// The SigLIP tower.
    pub vision: VitConfig,
    /// The Gemma decoder.
    pub decoder: GemmaConfig,
    /// Id of `<image>`.
    pub image_token: u32,
    /// Ids that end an answer.
    pub eos_tokens: Vec<u32>,
    /// Id of `<bos>`.
    pub bos_token: u32,
    /// Log-probability of the four tokens together of a box that is as likely right as wrong, where it was measured.
    pub box_logprob_at_half: Option<f32>,
}

const ARCHITECTURES: [&str; 2] = ["PaliGemmaForConditionalGeneration", "PaliGemmaModel"];

impl PaliGemmaConfig {
    /// Reads the contents of a `config.json` as transformers writes it: what is absent has transformers' default.
    ///
    /// # Errors
    /// A field that makes no PaliGemma, or one that this version does not run.
    pub fn from_hf(json: &Value) -> Result<Self, FieldError> {
        let fields = Fields::of("config.json", json)?.with_remedy("Use a PaliGemma or PaliGemma 2 checkpoint.");
        fields.one_of("model_type", None, &["paligemma"])?;
        for architecture in fields.optional("architectures", |names| names.list())?.unwrap_or_default() {
            architecture.one_of(&ARCHITECTURES)?;
        }
        Ok(Self {
            vision: VitConfig::from_siglip(&fields.object("vision_config")?)?,
            decoder: GemmaConfig::from_fields(&fields.object("text_config")?)?,
            image_token: image_token(&fields)?,
            eos_tokens: fields.optional("eos_token_id", |ids| ids.ids())?.unwrap_or_else(|| vec![1]),
            bos_token: fields.optional("bos_token_id", |id| id.id())?.unwrap_or(2),
            // Not Hugging Face's: see the field.
            box_logprob_at_half: fields.optional("even_box_logprob", |logprob| logprob.number())?,
        })
    }
}

/// It has two names, of which transformers writes one.
fn image_token(fields: &Fields<'_>) -> Result<u32, FieldError> {
    let named = ["image_token_index", "image_token_id"].map(|name| fields.optional(name, |id| id.id()));
    match named {
        [Ok(Some(index)), Ok(Some(id))] if index != id => {
            Err(fields.invalid("image_token_id", id, format!("{index}, as image_token_index is")))
        }
        [index, id] => Ok(index?.or(id?).unwrap_or(257_152)),
    }
}
