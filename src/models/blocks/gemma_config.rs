use super::head_size::head_size;
use crate::base::{FieldError, Fields};

/// A Gemma 1 or Gemma 2 decoder in numbers: norms, softcaps and windows are data.
#[derive(Debug, Clone, PartialEq)]
pub struct GemmaConfig {
    /// D, width of the residual stream.
    pub width: usize,
    /// L, number of blocks.
    pub layers: usize,
    /// H, query heads.
    pub heads: usize,
    /// G, key and value heads.
    pub kv_heads: usize,
    /// K, width of a head.
    pub head_dim: usize,
    /// F, width of the MLP.
    pub mlp: usize,
    /// V, rows of the tied embedding.
    pub vocabulary: usize,
    /// Added to the mean square in RMSNorm.
    pub eps: f32,
    /// Positions that it was trained on; more would give nonsense.
    pub max_positions: usize,
    /// Base of the rotary frequencies.
    pub rope_theta: f32,
    /// Factor on q·k.
    pub query_scale: f32,
    /// `c` of `c * tanh(score / c)`, if scores are capped.
    pub attention_softcap: Option<f32>,
    /// `c` of `c * tanh(logit / c)`, if logits are capped.
    pub final_softcap: Option<f32>,
    /// Gemma 2: a norm after attention and after the MLP, before the residual sum.
    pub post_norms: bool,
    /// Keys that a query sees backwards, per layer; `None` sees all.
    pub windows: Vec<Option<usize>>,
}

/// What transformers takes for the sizes that a configuration leaves out: hub checkpoints leave out many.
struct Defaults {
    width: usize,
    mlp: usize,
    layers: usize,
    heads: usize,
    kv_heads: usize,
}

const GEMMA: Defaults = Defaults { width: 3072, mlp: 24_576, layers: 28, heads: 16, kv_heads: 16 };
const GEMMA2: Defaults = Defaults { width: 2304, mlp: 9216, layers: 26, heads: 8, kv_heads: 4 };

const GELU_TANH: &str = "gelu_pytorch_tanh";

impl GemmaConfig {
    /// Of the fields of a `gemma` or `gemma2`, with transformers' defaults.
    ///
    /// # Errors
    /// A field that makes no model, or one that this version does not run.
    pub fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        let gemma2 = fields.one_of("model_type", "gemma", &["gemma", "gemma2"])? == "gemma2";
        let default = if gemma2 { GEMMA2 } else { GEMMA };
        check_activation(fields, gemma2)?;
        check_switch(fields, "attention_bias", false)?;
        check_switch(fields, "use_bidirectional_attention", true)?;
        let width = fields.usize("hidden_size", default.width, 4..=1 << 16)?;
        let layers = fields.usize("num_hidden_layers", default.layers, 1..=1024)?;
        let mlp = fields.usize("intermediate_size", default.mlp, 4..=1 << 20)?;
        let vocabulary = fields.usize("vocab_size", 256_000, 4..=1 << 24)?;
        let heads = fields.usize("num_attention_heads", default.heads, 1..=1024)?;
        let kv_heads = fields.divisor("num_key_value_heads", default.kv_heads, heads)?;
        let head_dim = head_size(fields, "head_dim", 256)?;
        let eps = fields.positive("rms_norm_eps", 1e-6)?;
        let max_positions = fields.usize("max_position_embeddings", 8192, 1..=1 << 24)?;
        let rope_theta = rope_theta(fields)?;
        // Gemma 1 has none of these, whatever its file says.
        let mut query_scalar = head_dim as f32;
        let (mut attention_softcap, mut final_softcap, mut window) = (None, None, None);
        if gemma2 {
            query_scalar = fields.positive("query_pre_attn_scalar", 256.0)?;
            attention_softcap = fields.nullable("attn_logit_softcapping", Some(50.0), |cap| cap.positive())?;
            final_softcap = fields.nullable("final_logit_softcapping", Some(30.0), |cap| cap.positive())?;
            window = fields.nullable("sliding_window", Some(4096), |keys| keys.usize(1..=1 << 24))?;
        }
        Ok(Self {
            width,
            layers,
            heads,
            kv_heads,
            head_dim,
            mlp,
            vocabulary,
            eps,
            max_positions,
            rope_theta,
            query_scale: query_scalar.powf(-0.5),
            attention_softcap,
            final_softcap,
            post_norms: gemma2,
            windows: windows(fields, layers, window)?,
        })
    }
}

/// Gemma 1 has two fields for it: `hidden_activation`, which transformers 4 reads, and `hidden_act`, which it ignored
/// at first and transformers 5 reads.
fn check_activation(fields: &Fields<'_>, gemma2: bool) -> Result<(), FieldError> {
    let older = fields.non_null("hidden_activation");
    let activation = if gemma2 { older } else { older.or_else(|| fields.non_null("hidden_act")) };
    activation.map(|activation| activation.one_of(&[GELU_TANH])).transpose()?;
    Ok(())
}

/// Fails on a switch that is set otherwise than it must be.
fn check_switch(fields: &Fields<'_>, name: &str, must: bool) -> Result<(), FieldError> {
    match fields.non_null(name) {
        Some(switch) if switch.bool()? != must => Err(switch.unsupported(must)),
        _ => Ok(()),
    }
}

/// Layer types as listed, or Gemma 2's rule: even layers slide, odd layers see all.
fn windows(fields: &Fields<'_>, layers: usize, window: Option<usize>) -> Result<Vec<Option<usize>>, FieldError> {
    let Some(types) = fields.non_null("layer_types") else {
        return Ok((0..layers).map(|layer| window.filter(|_| layer % 2 == 0)).collect());
    };
    let types = types.list()?;
    if types.len() != layers {
        let expected = format!("a list of {layers} (num_hidden_layers)");
        return Err(fields.invalid("layer_types", format!("a list of {}", types.len()), expected));
    }
    let known = ["sliding_attention", "full_attention"];
    types.iter().map(|kind| Ok(if kind.one_of(&known)? == known[0] { window } else { None })).collect()
}

/// The base of the rotary frequencies: a plain field, or in an object as transformers 5 writes it.
fn rope_theta(fields: &Fields<'_>) -> Result<f32, FieldError> {
    let mut theta = fields.positive("rope_theta", 10_000.0)?;
    for name in ["rope_scaling", "rope_parameters"] {
        let Some(rope) = fields.optional(name, |rope| rope.object())? else { continue };
        for kind in ["rope_type", "type"] {
            rope.one_of(kind, "default", &["default"])?;
        }
        // Frequencies of other kinds have further fields, or a table for each kind of layer.
        rope.only(&["rope_type", "type", "rope_theta"])?;
        theta = rope.positive("rope_theta", theta)?;
    }
    Ok(theta)
}
