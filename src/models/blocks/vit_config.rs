use super::head_size::check_head_size;
use crate::base::{FieldError, Fields};

/// A vision transformer of pre-norm blocks with biases and learned positions, in numbers: SigLIP's vision encoder.
#[derive(Debug, Clone, PartialEq)]
pub struct VitConfig {
    /// D, width of the residual stream.
    pub width: usize,
    /// L, number of blocks.
    pub layers: usize,
    /// H, attention heads.
    pub heads: usize,
    /// F, width of the MLP.
    pub mlp: usize,
    /// Pixels along one side of the square input.
    pub image_size: usize,
    /// Pixels along one side of a patch.
    pub patch: usize,
    /// Added to the variance in LayerNorm.
    pub eps: f32,
}

impl VitConfig {
    /// Of the fields of a `siglip_vision_model`, with transformers' defaults: those of a SigLIP base model.
    ///
    /// # Errors
    /// A field that makes no model, or one that this version does not run.
    pub fn from_siglip(fields: &Fields<'_>) -> Result<Self, FieldError> {
        fields.one_of("model_type", "siglip_vision_model", &["siglip_vision_model"])?;
        fields.one_of("hidden_act", "gelu_pytorch_tanh", &["gelu_pytorch_tanh"])?;
        fields.usize("num_channels", 3, 3..=3)?;
        let width = fields.usize("hidden_size", 768, 4..=1 << 16)?;
        let layers = fields.usize("num_hidden_layers", 12, 1..=1024)?;
        let mlp = fields.usize("intermediate_size", 3072, 4..=1 << 20)?;
        let patch = fields.usize("patch_size", 16, 1..=256)?;
        let image_size = fields.usize("image_size", 224, patch..=8192)?;
        let heads = fields.divisor("num_attention_heads", 12, width)?;
        check_head_size(fields, "hidden_size / num_attention_heads", width / heads)?;
        let eps = fields.positive("layer_norm_eps", 1e-6)?;
        Ok(Self { width, layers, heads, mlp, image_size, patch, eps })
    }
}
