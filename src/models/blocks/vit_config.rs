use super::head_size::check_head_size;
use super::{EncoderConfig, SIGLIP};
use crate::base::{FieldError, Fields};
use crate::ops::Function;

/// A vision transformer in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct VitConfig {
    /// Its blocks.
    pub encoder: EncoderConfig,
    /// Pixels along one side of the square that the table of positions is for.
    pub image_size: usize,
    /// Pixels along one side of a patch.
    pub patch: usize,
    /// How a patch's pixels lie in its layer.
    pub patch_order: PatchOrder,
    /// Rows before the patches'.
    pub prefix: Prefix,
}

/// How a patch's pixels lie in the layer that makes a row of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchOrder {
    /// By channel, then y, then x: a convolution.
    Channels,
    /// By y, then x, then channel: a linear layer, of towers that take pictures of any size.
    Pixels,
}

/// The rows before the patches': a class row, then registers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prefix {
    /// Whether there is a class row.
    pub class: bool,
    /// Register rows.
    pub registers: usize,
    /// Whether the table of positions has rows for them, too.
    pub positions: bool,
}

impl Prefix {
    /// How many there are.
    pub const fn rows(&self) -> usize {
        self.class as usize + self.registers
    }
}

impl VitConfig {
    /// Of the fields of a `siglip_vision_model`, with transformers' defaults: those of a SigLIP base model.
    ///
    /// # Errors
    /// A field that makes no model, or one that this version does not run.
    pub fn from_siglip(fields: &Fields<'_>) -> Result<Self, FieldError> {
        fields.one_of("model_type", "siglip_vision_model", &["siglip_vision_model"])?;
        let patch = patch(fields)?;
        let image_size = fields.usize("image_size", 224, patch..=8192)?;
        let encoder = EncoderConfig::from_siglip(fields)?;
        Ok(Self { encoder, image_size, patch, patch_order: PatchOrder::Channels, prefix: Prefix::default() })
    }

    /// Of the fields of a `siglip2_vision_model`, which takes pictures of any size.
    ///
    /// # Errors
    /// As of [`from_siglip`](Self::from_siglip).
    pub fn from_siglip2(fields: &Fields<'_>) -> Result<Self, FieldError> {
        fields.one_of("model_type", "siglip2_vision_model", &["siglip2_vision_model"])?;
        let patch = patch(fields)?;
        let positions = fields.usize("num_patches", 256, 1..=1 << 20)?;
        let side = positions.isqrt();
        if side * side != positions {
            return Err(fields.invalid("num_patches", positions, "a square number"));
        }
        let (encoder, image_size) = (EncoderConfig::from_siglip(fields)?, side * patch);
        Ok(Self { encoder, image_size, patch, patch_order: PatchOrder::Pixels, prefix: Prefix::default() })
    }

    /// Positions along one side of the table; the pixels that fill no patch are dropped.
    pub fn side(&self) -> usize {
        self.image_size / self.patch
    }

    /// P, patches of a picture of `[height, width]` pixels.
    pub fn patches(&self, [height, width]: [usize; 2]) -> usize {
        (height / self.patch) * (width / self.patch)
    }

    /// Patches of a picture of the size that the table is for.
    pub fn tokens(&self) -> usize {
        self.side() * self.side()
    }
}

fn patch(fields: &Fields<'_>) -> Result<usize, FieldError> {
    fields.usize("num_channels", 3, 3..=3)?;
    fields.usize("patch_size", 16, 1..=256)
}

/// What Hugging Face calls functions between the layers of an MLP.
const FUNCTIONS: [(&str, Function); 6] = [
    ("gelu_pytorch_tanh", Function::GeluTanh),
    ("gelu_new", Function::GeluTanh),
    ("gelu_fast", Function::GeluTanh),
    ("gelu", Function::GeluErf),
    ("relu", Function::Relu),
    ("silu", Function::Silu),
];

impl EncoderConfig {
    /// Of the fields of either tower of SigLIP, with transformers' defaults: those of a base model.
    ///
    /// # Errors
    /// A field that makes no model, or one that this version does not run.
    pub fn from_siglip(fields: &Fields<'_>) -> Result<Self, FieldError> {
        Self::from_hf(fields, "gelu_pytorch_tanh")
    }

    /// Of fields as Hugging Face calls them in encoders, with SigLIP's names of tensors. `activation` is that of a
    /// configuration that names none.
    ///
    /// # Errors
    /// A field that makes no model, or one that this version does not run.
    pub fn from_hf(fields: &Fields<'_>, activation: &'static str) -> Result<Self, FieldError> {
        let activation = function(fields, activation)?;
        let width = fields.usize("hidden_size", 768, 4..=1 << 16)?;
        let layers = fields.usize("num_hidden_layers", 12, 1..=1024)?;
        let mlp = fields.usize("intermediate_size", 3072, 4..=1 << 20)?;
        let heads = fields.divisor("num_attention_heads", 12, width)?;
        check_head_size(fields, "hidden_size / num_attention_heads", width / heads)?;
        let eps = fields.positive("layer_norm_eps", 1e-6)?;
        Ok(Self { width, layers, heads, mlp, eps, activation, qkv_bias: true, layer_scale: false, names: SIGLIP })
    }
}

/// The function that `hidden_act` names.
fn function(fields: &Fields<'_>, default: &'static str) -> Result<Function, FieldError> {
    let known = FUNCTIONS.map(|(name, _)| name);
    let name = fields.one_of("hidden_act", default, &known)?;
    let found = FUNCTIONS.iter().find(|(known, _)| *known == name);
    Ok(found.map_or(Function::GeluTanh, |(_, function)| *function))
}
