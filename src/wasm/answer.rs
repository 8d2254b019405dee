use serde::Serialize;
use wasm_bindgen::JsValue;

use crate::session::MemoryUse;
use crate::tasks::{Mask, Object, Performed};

use super::error::{BadValue, thrown};

/// An answer as JavaScript gets it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AnswerOut<'a> {
    text: &'a str,
    tokens: &'a [u32],
    logprobs: &'a [f32],
    finish: &'static str,
    prompt_tokens: &'a [u32],
    objects: Vec<ObjectOut<'a>>,
    /// Malformed objects that were left out.
    dropped: usize,
    timings: TimingsOut,
    memory: MemoryOut,
}

#[derive(Serialize)]
struct ObjectOut<'a> {
    label: &'a str,
    score: f32,
    #[serde(rename = "box")]
    bounds: BoxOut,
    mask: Option<MaskOut<'a>>,
}

#[derive(Serialize)]
struct BoxOut {
    xmin: f32,
    ymin: f32,
    xmax: f32,
    ymax: f32,
}

#[derive(Serialize)]
struct MaskOut<'a> {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    #[serde(with = "serde_bytes")]
    alpha: &'a [u8],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TimingsOut {
    image_ms: f64,
    encode_ms: f64,
    prefill_ms: f64,
    decode_ms_per_token: f64,
}

/// Bytes held on the device.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MemoryOut {
    weights_bytes: usize,
    kv_bytes: usize,
    activation_bytes: usize,
}

impl<'a> AnswerOut<'a> {
    pub fn new(performed: &'a Performed, memory: MemoryUse) -> Self {
        let Performed { answer, objects, dropped } = performed;
        let (generation, timings) = (&answer.generation, &answer.timings);
        Self {
            text: &generation.text,
            tokens: &generation.tokens,
            logprobs: &generation.logprobs,
            finish: generation.finish.name(),
            prompt_tokens: &answer.prompt_tokens,
            objects: objects.iter().map(object).collect(),
            dropped: *dropped,
            timings: TimingsOut {
                image_ms: timings.image_ms,
                encode_ms: timings.encode_ms,
                prefill_ms: timings.prefill_ms,
                decode_ms_per_token: timings.decode_ms_per_token,
            },
            memory: memory.into(),
        }
    }
}

impl From<MemoryUse> for MemoryOut {
    fn from(memory: MemoryUse) -> Self {
        Self {
            weights_bytes: memory.weights_bytes,
            kv_bytes: memory.kv_bytes,
            activation_bytes: memory.activation_bytes,
        }
    }
}

fn object(object: &Object) -> ObjectOut<'_> {
    let Object { label, score, bounds, mask, .. } = object;
    let mask = mask.as_ref().map(|Mask { left, top, width, height, alpha }| MaskOut {
        left: *left,
        top: *top,
        width: *width,
        height: *height,
        alpha,
    });
    let bounds = BoxOut { xmin: bounds.xmin, ymin: bounds.ymin, xmax: bounds.xmax, ymax: bounds.ymax };
    ObjectOut { label, score: *score, bounds, mask }
}

pub(super) fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    serde_wasm_bindgen::to_value(value)
        .map_err(|error| thrown(BadValue { what: "the answer", reason: error.to_string() }))
}
