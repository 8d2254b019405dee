use serde::Deserialize;
use serde_json::Value;

use crate::base::{ErrorKind, Fault};

/// A PaliGemma model in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct PaliGemmaConfig {
    /// The SigLIP tower.
    pub vision: VisionConfig,
    /// The Gemma decoder.
    pub decoder: DecoderConfig,
    /// Id of `<image>`.
    pub image_token: u32,
    /// Ids that end an answer.
    pub eos_tokens: Vec<u32>,
    /// Id of `<bos>`.
    pub bos_token: u32,
    /// Log-probability of the four tokens together of a box that is as likely right as wrong, where it was measured.
    pub even_box_logprob: Option<f32>,
}

/// A SigLIP vision tower in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct VisionConfig {
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

/// A Gemma 1 or Gemma 2 decoder in numbers: norms, softcaps and windows are data.
#[derive(Debug, Clone, PartialEq)]
pub struct DecoderConfig {
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

impl VisionConfig {
    /// Patches along one side; the pixels that fill no patch are dropped.
    pub fn grid(&self) -> usize {
        self.image_size / self.patch
    }

    /// P, tokens of one picture.
    pub fn tokens(&self) -> usize {
        self.grid() * self.grid()
    }

    /// K, width of a head.
    pub fn head_dim(&self) -> usize {
        self.width / self.heads
    }
}

/// A `config.json` that is not a PaliGemma that this version runs.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFault {
    /// A field has the wrong type or is missing.
    #[error("config.json: {0}")]
    Json(#[from] serde_json::Error),
    /// Another architecture.
    #[error("config.json: {field} is {found:?}, expected {expected}")]
    Unsupported {
        /// Path of the field.
        field: &'static str,
        /// Its value.
        found: String,
        /// What is supported.
        expected: &'static str,
    },
    /// A number that makes no model.
    #[error("config.json: {field} is {found}, expected {expected}")]
    OutOfRange {
        /// Path of the field.
        field: &'static str,
        /// Its value.
        found: usize,
        /// What is possible.
        expected: String,
    },
}

impl Fault for ConfigFault {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unsupported { .. } => ErrorKind::Unsupported,
            Self::Json(_) | Self::OutOfRange { .. } => ErrorKind::BadConfig,
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Unsupported { .. } => "Use a PaliGemma or PaliGemma 2 checkpoint.",
            _ => "Check that config.json is the one that came with this checkpoint.",
        }
        .into()
    }
}

/// `config.json` of a PaliGemma as transformers writes it: what is absent has transformers' default.
#[derive(Deserialize)]
struct HfConfig {
    #[serde(alias = "image_token_id")]
    image_token_index: Option<u32>,
    bos_token_id: Option<u32>,
    /// Not Hugging Face's: see [`PaliGemmaConfig`].
    even_box_logprob: Option<f32>,
    eos_token_id: Option<OneOrMany>,
    text_config: HfText,
    vision_config: HfVision,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(u32),
    Many(Vec<u32>),
}

#[derive(Deserialize)]
struct HfVision {
    model_type: Option<String>,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    #[serde(default = "default_image_size")]
    image_size: usize,
    patch_size: usize,
    #[serde(default = "default_channels")]
    num_channels: usize,
    #[serde(default = "default_eps")]
    layer_norm_eps: f32,
    hidden_act: Option<String>,
}

#[derive(Deserialize)]
struct HfText {
    model_type: String,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: usize,
    head_dim: Option<usize>,
    max_position_embeddings: Option<usize>,
    intermediate_size: usize,
    vocab_size: usize,
    #[serde(default = "default_eps")]
    rms_norm_eps: f32,
    rope_theta: Option<f32>,
    rope_parameters: Option<Value>,
    hidden_activation: Option<String>,
    #[serde(default)]
    attention_bias: bool,
    query_pre_attn_scalar: Option<f32>,
    #[serde(default, deserialize_with = "present")]
    attn_logit_softcapping: Option<Option<f32>>,
    #[serde(default, deserialize_with = "present")]
    final_logit_softcapping: Option<Option<f32>>,
    #[serde(default, deserialize_with = "present")]
    sliding_window: Option<Option<usize>>,
    layer_types: Option<Vec<String>>,
}

/// Tells `null` (some none) from an absent field (none).
fn present<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(d: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(d).map(Some)
}

fn default_image_size() -> usize {
    224
}

fn default_channels() -> usize {
    3
}

fn default_eps() -> f32 {
    1e-6
}

const GELU_TANH: &str = "gelu_pytorch_tanh";

impl PaliGemmaConfig {
    /// Reads the contents of a Hugging Face `config.json`.
    pub fn from_hf(json: &Value) -> Result<Self, ConfigFault> {
        let model_type = json.get("model_type").and_then(Value::as_str).unwrap_or("missing");
        expect("model_type", model_type, &["paligemma"], "paligemma")?;
        let hf = HfConfig::deserialize(json)?;
        let vision = vision_config(&hf.vision_config)?;
        let decoder = decoder_config(&hf.text_config)?;
        let image_token = hf.image_token_index.unwrap_or(257_152);
        if image_token as usize >= 1 << 31 {
            return Err(out_of_range("image_token_index", image_token as usize, "less than 2^31"));
        }
        Ok(Self {
            vision,
            decoder,
            image_token,
            eos_tokens: match hf.eos_token_id {
                None => vec![1],
                Some(OneOrMany::One(id)) => vec![id],
                Some(OneOrMany::Many(ids)) => ids,
            },
            bos_token: hf.bos_token_id.unwrap_or(2),
            even_box_logprob: hf.even_box_logprob,
        })
    }
}

fn vision_config(hf: &HfVision) -> Result<VisionConfig, ConfigFault> {
    let model_type = hf.model_type.as_deref().unwrap_or("siglip_vision_model");
    expect("vision_config.model_type", model_type, &["siglip_vision_model"], "siglip_vision_model")?;
    expect("vision_config.hidden_act", hf.hidden_act.as_deref().unwrap_or(GELU_TANH), &[GELU_TANH], GELU_TANH)?;
    in_range("vision_config.num_channels", hf.num_channels, 3, 3)?;
    in_range("vision_config.hidden_size", hf.hidden_size, 4, 1 << 16)?;
    in_range("vision_config.num_hidden_layers", hf.num_hidden_layers, 1, 1024)?;
    in_range("vision_config.intermediate_size", hf.intermediate_size, 4, 1 << 20)?;
    in_range("vision_config.patch_size", hf.patch_size, 1, 256)?;
    in_range("vision_config.image_size", hf.image_size, hf.patch_size, 8192)?;
    divides("vision_config.num_attention_heads", hf.num_attention_heads, hf.hidden_size)?;
    head_dim("vision_config.hidden_size / num_attention_heads", hf.hidden_size / hf.num_attention_heads)?;
    Ok(VisionConfig {
        width: hf.hidden_size,
        layers: hf.num_hidden_layers,
        heads: hf.num_attention_heads,
        mlp: hf.intermediate_size,
        image_size: hf.image_size,
        patch: hf.patch_size,
        eps: hf.layer_norm_eps,
    })
}

fn decoder_config(hf: &HfText) -> Result<DecoderConfig, ConfigFault> {
    expect("text_config.model_type", &hf.model_type, &["gemma", "gemma2"], "gemma or gemma2")?;
    let gemma2 = hf.model_type == "gemma2";
    let activation = hf.hidden_activation.as_deref().unwrap_or(GELU_TANH);
    expect("text_config.hidden_activation", activation, &[GELU_TANH], GELU_TANH)?;
    if hf.attention_bias {
        return Err(unsupported("text_config.attention_bias", "true", "false"));
    }
    in_range("text_config.hidden_size", hf.hidden_size, 4, 1 << 16)?;
    in_range("text_config.num_hidden_layers", hf.num_hidden_layers, 1, 1024)?;
    in_range("text_config.intermediate_size", hf.intermediate_size, 4, 1 << 20)?;
    in_range("text_config.vocab_size", hf.vocab_size, 4, 1 << 24)?;
    in_range("text_config.num_attention_heads", hf.num_attention_heads, 1, 1024)?;
    divides("text_config.num_key_value_heads", hf.num_key_value_heads, hf.num_attention_heads)?;
    if let Some(positions) = hf.max_position_embeddings {
        in_range("text_config.max_position_embeddings", positions, 1, 1 << 24)?;
    }
    let head_dim = {
        let k = hf.head_dim.unwrap_or(256);
        self::head_dim("text_config.head_dim", k)?;
        k
    };
    let default_window = if gemma2 { Some(4096) } else { None };
    let window = hf.sliding_window.unwrap_or(default_window).filter(|_| gemma2);
    Ok(DecoderConfig {
        width: hf.hidden_size,
        layers: hf.num_hidden_layers,
        heads: hf.num_attention_heads,
        kv_heads: hf.num_key_value_heads,
        head_dim,
        mlp: hf.intermediate_size,
        vocabulary: hf.vocab_size,
        eps: hf.rms_norm_eps,
        max_positions: hf.max_position_embeddings.unwrap_or(8192),
        rope_theta: rope_theta(hf)?,
        query_scale: match hf.query_pre_attn_scalar {
            Some(scalar) if gemma2 => scalar.powf(-0.5),
            None if gemma2 => 256f32.powf(-0.5),
            _ => (head_dim as f32).powf(-0.5),
        },
        attention_softcap: hf.attn_logit_softcapping.unwrap_or(Some(50.0)).filter(|_| gemma2),
        final_softcap: hf.final_logit_softcapping.unwrap_or(Some(30.0)).filter(|_| gemma2),
        post_norms: gemma2,
        windows: windows(hf, window)?,
    })
}

/// Layer types as listed, or Gemma 2's rule: even layers slide, odd layers see all.
fn windows(hf: &HfText, window: Option<usize>) -> Result<Vec<Option<usize>>, ConfigFault> {
    let Some(types) = &hf.layer_types else {
        return Ok((0..hf.num_hidden_layers).map(|i| window.filter(|_| i % 2 == 0)).collect());
    };
    if types.len() != hf.num_hidden_layers {
        let expected = format!("{} (num_hidden_layers)", hf.num_hidden_layers);
        return Err(out_of_range("length of text_config.layer_types", types.len(), &expected));
    }
    types
        .iter()
        .map(|t| match t.as_str() {
            "sliding_attention" => Ok(window),
            "full_attention" => Ok(None),
            other => Err(unsupported("text_config.layer_types", other, "sliding_attention or full_attention")),
        })
        .collect()
}

/// The base of the rotary frequencies: a plain field, or in `rope_parameters` as transformers 5 writes it.
fn rope_theta(hf: &HfText) -> Result<f32, ConfigFault> {
    let Some(parameters) = &hf.rope_parameters else { return Ok(hf.rope_theta.unwrap_or(10_000.0)) };
    let rope_type = parameters.get("rope_type").and_then(Value::as_str).unwrap_or("default");
    expect("text_config.rope_parameters.rope_type", rope_type, &["default"], "default")?;
    let theta = parameters.get("rope_theta").and_then(Value::as_f64).map(|t| t as f32);
    Ok(theta.or(hf.rope_theta).unwrap_or(10_000.0))
}

fn expect(field: &'static str, found: &str, allowed: &[&str], expected: &'static str) -> Result<(), ConfigFault> {
    if allowed.contains(&found) { Ok(()) } else { Err(unsupported(field, found, expected)) }
}

fn unsupported(field: &'static str, found: &str, expected: &'static str) -> ConfigFault {
    ConfigFault::Unsupported { field, found: found.into(), expected }
}

fn out_of_range(field: &'static str, found: usize, expected: &str) -> ConfigFault {
    ConfigFault::OutOfRange { field, found, expected: expected.into() }
}

fn in_range(field: &'static str, found: usize, least: usize, most: usize) -> Result<(), ConfigFault> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    let expected = if least == most { least.to_string() } else { format!("{least} to {most}") };
    Err(out_of_range(field, found, &expected))
}

fn divides(field: &'static str, found: usize, whole: usize) -> Result<(), ConfigFault> {
    if found > 0 && whole.is_multiple_of(found) {
        return Ok(());
    }
    Err(out_of_range(field, found, &format!("a divisor of {whole}")))
}

/// Kernels hold a head in registers: multiples of 4 up to 256.
fn head_dim(field: &'static str, found: usize) -> Result<(), ConfigFault> {
    if found.is_multiple_of(4) && (4..=256).contains(&found) {
        return Ok(());
    }
    Err(out_of_range(field, found, "a multiple of 4 up to 256"))
}
