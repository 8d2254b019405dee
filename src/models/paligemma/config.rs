use serde::Deserialize;
use serde_json::Value;

use crate::base::{ErrorKind, Fault, Remedy};
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
    /// Attention heads of a size that the kernels do not have.
    #[error("config.json: {field} is {found}; heads of a multiple of 4 up to 256 are supported")]
    HeadSize {
        /// Path of the field.
        field: &'static str,
        /// Its value.
        found: usize,
    },
    /// A number that makes no model.
    #[error("config.json: {field} is {found}, expected {expected}")]
    OutOfRange {
        /// Path of the field.
        field: &'static str,
        /// Its value.
        found: String,
        /// What is possible.
        expected: String,
    },
}

impl Fault for ConfigFault {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unsupported { .. } | Self::HeadSize { .. } => ErrorKind::Unsupported,
            Self::Json(_) | Self::OutOfRange { .. } => ErrorKind::BadConfig,
        }
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::Unsupported { .. } => "Use a PaliGemma or PaliGemma 2 checkpoint.",
            Self::HeadSize { .. } => "Use a checkpoint whose head size is a multiple of 4, at most 256.",
            _ => "Check that config.json is the one that came with this checkpoint.",
        }
        .into()
    }
}

/// `config.json` of a PaliGemma as transformers writes it: what is absent has transformers' default.
#[derive(Deserialize)]
struct HfConfig {
    #[serde(default)]
    architectures: Vec<String>,
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
    hidden_size: Option<usize>,
    num_hidden_layers: Option<usize>,
    num_attention_heads: Option<usize>,
    intermediate_size: Option<usize>,
    image_size: Option<usize>,
    patch_size: Option<usize>,
    num_channels: Option<usize>,
    layer_norm_eps: Option<f32>,
    hidden_act: Option<String>,
}

#[derive(Deserialize)]
struct HfText {
    model_type: Option<String>,
    hidden_size: Option<usize>,
    num_hidden_layers: Option<usize>,
    num_attention_heads: Option<usize>,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    max_position_embeddings: Option<usize>,
    intermediate_size: Option<usize>,
    vocab_size: Option<usize>,
    rms_norm_eps: Option<f32>,
    rope_theta: Option<f32>,
    rope_scaling: Option<Value>,
    rope_parameters: Option<Value>,
    hidden_act: Option<String>,
    hidden_activation: Option<String>,
    #[serde(default)]
    attention_bias: bool,
    use_bidirectional_attention: Option<bool>,
    query_pre_attn_scalar: Option<f32>,
    #[serde(default, deserialize_with = "present")]
    attn_logit_softcapping: Option<Option<f32>>,
    #[serde(default, deserialize_with = "present")]
    final_logit_softcapping: Option<Option<f32>>,
    #[serde(default, deserialize_with = "present")]
    sliding_window: Option<Option<usize>>,
    layer_types: Option<Vec<String>>,
}

/// What transformers takes for fields that a text configuration leaves out: hub checkpoints leave out many.
struct TextDefaults {
    width: usize,
    mlp: usize,
    layers: usize,
    heads: usize,
    kv_heads: usize,
}

const GEMMA: TextDefaults = TextDefaults { width: 3072, mlp: 24_576, layers: 28, heads: 16, kv_heads: 16 };
const GEMMA2: TextDefaults = TextDefaults { width: 2304, mlp: 9216, layers: 26, heads: 8, kv_heads: 4 };
/// Of both.
const VOCABULARY: usize = 256_000;
const EPS: f32 = 1e-6;

/// Tells `null` (some none) from an absent field (none).
fn present<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(d: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(d).map(Some)
}

const GELU_TANH: &str = "gelu_pytorch_tanh";
const ARCHITECTURES: [&str; 2] = ["PaliGemmaForConditionalGeneration", "PaliGemmaModel"];

impl PaliGemmaConfig {
    /// Reads the contents of a Hugging Face `config.json`.
    pub fn from_hf(json: &Value) -> Result<Self, ConfigFault> {
        let model_type = json.get("model_type").and_then(Value::as_str).unwrap_or("missing");
        expect("model_type", model_type, &["paligemma"], "paligemma")?;
        let hf = HfConfig::deserialize(json)?;
        for architecture in &hf.architectures {
            expect("architectures", architecture, &ARCHITECTURES, ARCHITECTURES[0])?;
        }
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
            box_logprob_at_half: hf.even_box_logprob,
        })
    }
}

fn vision_config(hf: &HfVision) -> Result<VitConfig, ConfigFault> {
    let model_type = hf.model_type.as_deref().unwrap_or("siglip_vision_model");
    expect("vision_config.model_type", model_type, &["siglip_vision_model"], "siglip_vision_model")?;
    expect("vision_config.hidden_act", hf.hidden_act.as_deref().unwrap_or(GELU_TANH), &[GELU_TANH], GELU_TANH)?;
    in_range("vision_config.num_channels", hf.num_channels.unwrap_or(3), 3, 3)?;
    // Transformers' defaults are those of a SigLIP base tower.
    let width = in_range("vision_config.hidden_size", hf.hidden_size.unwrap_or(768), 4, 1 << 16)?;
    let layers = in_range("vision_config.num_hidden_layers", hf.num_hidden_layers.unwrap_or(12), 1, 1024)?;
    let mlp = in_range("vision_config.intermediate_size", hf.intermediate_size.unwrap_or(3072), 4, 1 << 20)?;
    let patch = in_range("vision_config.patch_size", hf.patch_size.unwrap_or(16), 1, 256)?;
    let image_size = in_range("vision_config.image_size", hf.image_size.unwrap_or(224), patch, 8192)?;
    let heads = divides("vision_config.num_attention_heads", hf.num_attention_heads.unwrap_or(12), width)?;
    head_dim("vision_config.hidden_size / num_attention_heads", width / heads)?;
    let eps = positive("vision_config.layer_norm_eps", hf.layer_norm_eps.unwrap_or(EPS))?;
    Ok(VitConfig { width, layers, heads, mlp, image_size, patch, eps })
}

fn decoder_config(hf: &HfText) -> Result<GemmaConfig, ConfigFault> {
    let model_type = hf.model_type.as_deref().unwrap_or("gemma");
    expect("text_config.model_type", model_type, &["gemma", "gemma2"], "gemma or gemma2")?;
    let gemma2 = model_type == "gemma2";
    let default = if gemma2 { GEMMA2 } else { GEMMA };
    activation(hf, gemma2)?;
    if hf.attention_bias {
        return Err(unsupported("text_config.attention_bias", "true", "false"));
    }
    if hf.use_bidirectional_attention == Some(false) {
        return Err(unsupported("text_config.use_bidirectional_attention", "false", "true"));
    }
    let width = in_range("text_config.hidden_size", hf.hidden_size.unwrap_or(default.width), 4, 1 << 16)?;
    let layers = in_range("text_config.num_hidden_layers", hf.num_hidden_layers.unwrap_or(default.layers), 1, 1024)?;
    let mlp = in_range("text_config.intermediate_size", hf.intermediate_size.unwrap_or(default.mlp), 4, 1 << 20)?;
    let vocabulary = in_range("text_config.vocab_size", hf.vocab_size.unwrap_or(VOCABULARY), 4, 1 << 24)?;
    let heads = in_range("text_config.num_attention_heads", hf.num_attention_heads.unwrap_or(default.heads), 1, 1024)?;
    let kv_heads = hf.num_key_value_heads.unwrap_or(default.kv_heads);
    let kv_heads = divides("text_config.num_key_value_heads", kv_heads, heads)?;
    let positions = hf.max_position_embeddings.unwrap_or(8192);
    let head_dim = head_dim("text_config.head_dim", hf.head_dim.unwrap_or(256))?;
    let default_window = if gemma2 { Some(4096) } else { None };
    let window = hf.sliding_window.unwrap_or(default_window).filter(|_| gemma2);
    window.map(|keys| in_range("text_config.sliding_window", keys, 1, 1 << 24)).transpose()?;
    let softcap = |field, cap: Option<Option<f32>>, default| {
        cap.unwrap_or(Some(default)).filter(|_| gemma2).map(|cap| positive(field, cap)).transpose()
    };
    let query_scalar = if gemma2 { hf.query_pre_attn_scalar.unwrap_or(256.0) } else { head_dim as f32 };
    Ok(GemmaConfig {
        width,
        layers,
        heads,
        kv_heads,
        head_dim,
        mlp,
        vocabulary,
        eps: positive("text_config.rms_norm_eps", hf.rms_norm_eps.unwrap_or(EPS))?,
        max_positions: in_range("text_config.max_position_embeddings", positions, 1, 1 << 24)?,
        rope_theta: rope_theta(hf)?,
        query_scale: positive("text_config.query_pre_attn_scalar", query_scalar)?.powf(-0.5),
        attention_softcap: softcap("text_config.attn_logit_softcapping", hf.attn_logit_softcapping, 50.0)?,
        final_softcap: softcap("text_config.final_logit_softcapping", hf.final_logit_softcapping, 30.0)?,
        post_norms: gemma2,
        windows: windows(hf, layers, window)?,
    })
}

/// Gemma 1 has two fields for it: `hidden_activation`, which transformers 4 reads, and `hidden_act`, which it ignored at
/// first and transformers 5 reads.
fn activation(hf: &HfText, gemma2: bool) -> Result<(), ConfigFault> {
    let (field, found) = match (&hf.hidden_activation, &hf.hidden_act) {
        (Some(found), _) => ("text_config.hidden_activation", found),
        (None, Some(found)) if !gemma2 => ("text_config.hidden_act", found),
        _ => return Ok(()),
    };
    expect(field, found, &[GELU_TANH], GELU_TANH)
}

/// Layer types as listed, or Gemma 2's rule: even layers slide, odd layers see all.
fn windows(hf: &HfText, layers: usize, window: Option<usize>) -> Result<Vec<Option<usize>>, ConfigFault> {
    let Some(types) = &hf.layer_types else {
        return Ok((0..layers).map(|i| window.filter(|_| i % 2 == 0)).collect());
    };
    if types.len() != layers {
        let expected = format!("{layers} (num_hidden_layers)");
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
    let mut theta = hf.rope_theta;
    let scaled = [("text_config.rope_scaling", &hf.rope_scaling), ("text_config.rope_parameters", &hf.rope_parameters)];
    for (field, parameters) in scaled {
        let Some(parameters) = parameters else { continue };
        // Frequencies of other kinds have further fields, or a table for each kind of layer.
        let plain = |(key, value): (&String, &Value)| match key.as_str() {
            "rope_type" | "type" => value == "default",
            _ => key == "rope_theta",
        };
        if !parameters.as_object().is_some_and(|fields| fields.iter().all(plain)) {
            return Err(unsupported(field, &parameters.to_string(), "rope_type \"default\""));
        }
        theta = parameters.get("rope_theta").and_then(Value::as_f64).map(|t| t as f32).or(theta);
    }
    positive("text_config.rope_theta", theta.unwrap_or(10_000.0))
}

fn expect(field: &'static str, found: &str, allowed: &[&str], expected: &'static str) -> Result<(), ConfigFault> {
    if allowed.contains(&found) { Ok(()) } else { Err(unsupported(field, found, expected)) }
}

fn unsupported(field: &'static str, found: &str, expected: &'static str) -> ConfigFault {
    ConfigFault::Unsupported { field, found: found.into(), expected }
}

fn out_of_range(field: &'static str, found: impl ToString, expected: &str) -> ConfigFault {
    ConfigFault::OutOfRange { field, found: found.to_string(), expected: expected.into() }
}

fn in_range(field: &'static str, found: usize, least: usize, most: usize) -> Result<usize, ConfigFault> {
    if (least..=most).contains(&found) {
        return Ok(found);
    }
    let expected = if least == most { least.to_string() } else { format!("{least} to {most}") };
    Err(out_of_range(field, found, &expected))
}

fn divides(field: &'static str, found: usize, whole: usize) -> Result<usize, ConfigFault> {
    if found > 0 && whole.is_multiple_of(found) {
        return Ok(found);
    }
    Err(out_of_range(field, found, &format!("a divisor of {whole}")))
}

fn positive(field: &'static str, found: f32) -> Result<f32, ConfigFault> {
    if found > 0.0 && found.is_finite() { Ok(found) } else { Err(out_of_range(field, found, "a positive number")) }
}

/// Kernels hold a head in registers: multiples of 4 up to 256.
fn head_dim(field: &'static str, found: usize) -> Result<usize, ConfigFault> {
    match found {
        0 => Err(out_of_range(field, found, "a multiple of 4 up to 256")),
        1..=256 if found.is_multiple_of(4) => Ok(found),
        _ => Err(ConfigFault::HeadSize { field, found }),
    }
}
