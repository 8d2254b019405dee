use js_sys::{Float32Array, Function, Map};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::session::{CancelToken, DeviceChoice, DeviceOptions, LoadProgress, Player, SubgroupSizes};
use crate::tasks::{Answer, Dtype, Model, ModelOptions, Request};

use super::breath::{breathe, now_ms};
use super::error::{BadValue, thrown};
use super::files;
use super::request::{CancelHandle, WasmRequest};

/// Options of [`WasmModel::load`].
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LoadOptions {
    device: String,
    dtype: String,
    max_binding_mib: Option<f64>,
    subgroups: Option<Subgroups>,
    #[serde(default)]
    as_real_gpu: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Subgroups {
    min: u32,
    max: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AnswerOut<'a> {
    text: &'a str,
    tokens: &'a [u32],
    logprobs: &'a [f32],
    finish: &'static str,
    prompt_tokens: &'a [u32],
    timings: TimingsOut,
    memory: MemoryOut,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TimingsOut {
    image_ms: f64,
    encode_ms: f64,
    prefill_ms: f64,
    decode_ms_per_token: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MemoryOut {
    weights_bytes: usize,
    kv_bytes: usize,
    activation_bytes: usize,
}

/// A model on a device.
#[wasm_bindgen]
pub struct WasmModel(Model);

#[wasm_bindgen]
impl WasmModel {
    /// Loads a model from a map of file names to bytes; `progress` gets bytes done and bytes in all.
    ///
    /// # Errors
    /// Options out of range, files that are no model, or a device that is missing or too small.
    pub async fn load(files: Map, options: JsValue, progress: Function) -> Result<WasmModel, JsValue> {
        let options: LoadOptions =
            serde_wasm_bindgen::from_value(options).map_err(|error| bad("the load options", error.to_string()))?;
        let choice = match options.device.as_str() {
            "auto" => DeviceChoice::Auto,
            "gpu" => DeviceChoice::Gpu,
            "cpu" => DeviceChoice::Cpu,
            other => return Err(bad("device", format!("`{other}`; expected auto, gpu or cpu"))),
        };
        let dtype = match options.dtype.as_str() {
            "f32" => Dtype::F32,
            "f16" => Dtype::F16,
            "q8" => Dtype::Q8,
            "q4" => Dtype::Q4,
            other => return Err(bad("dtype", format!("`{other}`; expected f32, f16, q8 or q4"))),
        };
        let max_binding_bytes = match options.max_binding_mib {
            // From 64 KiB to 1 TiB; finer than MiB, so that tests can force many shards on a small model.
            Some(mib) if (0.0625..=1_048_576.0).contains(&mib) => Some((mib * 1_048_576.0) as usize & !3),
            Some(mib) => return Err(bad("maxBindingMib", format!("{mib}; expected 0.0625 to 1048576"))),
            None => None,
        };
        let device = DeviceOptions {
            adapter: None,
            max_binding_bytes,
            subgroups: options.subgroups.map(|Subgroups { min, max }| SubgroupSizes { min, max }),
            as_real_gpu: options.as_real_gpu,
        };
        let player = Player::open(choice, &device).await.map_err(thrown)?.with_breath(breathe);
        let files = files::take(&files)?;
        let mut report = |at: LoadProgress| {
            // A progress bar that fails must not stop the load.
            let _ = progress.call2(&JsValue::UNDEFINED, &(at.done as f64).into(), &(at.total as f64).into());
            Ok(())
        };
        let options = ModelOptions { dtype, ..ModelOptions::default() };
        Model::load(&files, player, options, now_ms, &mut report).await.map(Self).map_err(thrown)
    }

    /// `gpu` or `cpu`.
    pub fn device(&self) -> String {
        self.0.player().device().into()
    }

    /// The adapter's name; empty where the browser keeps it secret.
    pub fn adapter(&self) -> String {
        self.0.player().adapter()
    }

    /// Bytes held on the device: `{weightsBytes, kvBytes, activationBytes}`.
    ///
    /// # Errors
    /// None in practice.
    pub fn memory(&self) -> Result<JsValue, JsValue> {
        to_js(&self.memory_out())
    }

    /// Answers a request; `emit` gets the text's pieces as they come.
    ///
    /// # Errors
    /// A request that does not fit the model, a cancelled handle, or a failing device.
    pub async fn generate(
        &mut self,
        request: &WasmRequest,
        cancel: &CancelHandle,
        emit: Function,
    ) -> Result<JsValue, JsValue> {
        let cancel: CancelToken = cancel.token();
        let mut emit = |piece: &str| {
            // A listener that fails must not stop the answer.
            let _ = emit.call1(&JsValue::UNDEFINED, &piece.into());
        };
        let asked = Request { pictures: &request.pictures, prompt: &request.prompt, options: &request.options };
        let Answer { generation, prompt_tokens, timings } =
            self.0.generate(asked, &cancel, &mut emit).await.map_err(thrown)?;
        to_js(&AnswerOut {
            text: &generation.text,
            tokens: &generation.tokens,
            logprobs: &generation.logprobs,
            finish: generation.finish.name(),
            prompt_tokens: &prompt_tokens,
            timings: TimingsOut {
                image_ms: timings.image_ms,
                encode_ms: timings.encode_ms,
                prefill_ms: timings.prefill_ms,
                decode_ms_per_token: timings.decode_ms_per_token,
            },
            memory: self.memory_out(),
        })
    }

    /// The logits at the last prompt position, right after a generation of one token.
    ///
    /// # Errors
    /// Nothing generated yet, or a failing device.
    pub async fn logits(&mut self) -> Result<Float32Array, JsValue> {
        let logits = self.0.logits().await.map_err(thrown)?;
        Ok(Float32Array::from(logits.as_slice()))
    }

    fn memory_out(&self) -> MemoryOut {
        let memory = self.0.memory();
        MemoryOut {
            weights_bytes: memory.weights_bytes,
            kv_bytes: memory.kv_bytes,
            activation_bytes: memory.activation_bytes,
        }
    }
}

fn bad(what: &'static str, reason: String) -> JsValue {
    thrown(BadValue { what, reason })
}

fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    serde_wasm_bindgen::to_value(value).map_err(|error| bad("the answer", error.to_string()))
}
