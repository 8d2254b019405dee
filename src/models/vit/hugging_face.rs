//! Hugging Face's ViT: its configuration, and the generations of its tensors' names.

use serde_json::Value;

use crate::base::{FieldError, Fields};
use crate::models::blocks::{EncoderConfig, HF_VIT, ImageTower, PatchOrder, Pooling, Prefix, VitConfig, labels_of};

/// Reads the contents of a `config.json`: what is absent has transformers' default, that of a ViT base model.
pub fn tower(json: &Value) -> Result<ImageTower, FieldError> {
    let fields = Fields::of("config.json", json)?.with_remedy("Use a ViT for classification or for features.");
    fields.one_of("model_type", None, &["vit"])?;
    let mut head = None;
    for name in fields.optional("architectures", |names| names.list())?.unwrap_or_default() {
        if name.one_of(&["ViTForImageClassification", "ViTModel"])? == "ViTForImageClassification" {
            head = Some(("classifier", labels_of(&fields)?));
        }
    }
    let encoder = EncoderConfig::from_vit(&fields)?;
    let patch = fields.usize("patch_size", 16, 1..=256)?;
    fields.usize("num_channels", 3, 3..=3)?;
    let image_size = fields.usize("image_size", 224, patch..=8192)?;
    let prefix = Prefix { class: true, registers: 0, positions: true };
    let vit = VitConfig { encoder, image_size, patch, patch_order: PatchOrder::Channels, prefix };
    Ok(ImageTower { vit, budget: None, pooling: Pooling::Class, pooled_norm: None, head })
}

impl EncoderConfig {
    fn from_vit(fields: &Fields<'_>) -> Result<Self, FieldError> {
        let qkv_bias = fields.bool("qkv_bias", true)?;
        let eps = fields.positive("layer_norm_eps", 1e-12)?;
        let encoder = Self::from_hf(fields, "gelu")?;
        Ok(Self { qkv_bias, eps, names: HF_VIT, ..encoder })
    }
}

/// What published files call the layers of a block, and transformers 5.
const LAYERS: [(&str, &str); 6] = [
    ("attention.attention.query", "attention.q_proj"),
    ("attention.attention.key", "attention.k_proj"),
    ("attention.attention.value", "attention.v_proj"),
    ("attention.output.dense", "attention.o_proj"),
    ("intermediate.dense", "mlp.fc1"),
    ("output.dense", "mlp.fc2"),
];

/// The name in transformers 5 of a tensor of any generation, without the model's prefix.
pub fn canonical(name: &str) -> String {
    let name = name.strip_prefix("vit.").unwrap_or(name);
    let Some(block) = name.strip_prefix("encoder.layer.") else { return name.to_owned() };
    let Some((number, rest)) = block.split_once('.') else { return name.to_owned() };
    let renamed = LAYERS.iter().find_map(|(from, to)| Some(format!("{to}{}", rest.strip_prefix(from)?)));
    format!("layers.{number}.{}", renamed.unwrap_or_else(|| rest.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn both_generations_have_the_same_names() {
        for (published, later) in [
            ("vit.encoder.layer.11.attention.attention.key.bias", "vit.layers.11.attention.k_proj.bias"),
            ("vit.encoder.layer.0.attention.output.dense.weight", "vit.layers.0.attention.o_proj.weight"),
            ("vit.encoder.layer.0.intermediate.dense.weight", "layers.0.mlp.fc1.weight"),
            ("encoder.layer.0.output.dense.weight", "vit.layers.0.mlp.fc2.weight"),
            ("vit.encoder.layer.0.layernorm_before.weight", "vit.layers.0.layernorm_before.weight"),
            ("vit.embeddings.cls_token", "embeddings.cls_token"),
            ("classifier.bias", "classifier.bias"),
        ] {
            assert_eq!(canonical(published), canonical(later), "{published}");
        }
    }
}
