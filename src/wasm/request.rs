use serde::Deserialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::session::CancelToken;
use crate::tasks::{GenerateOptions, Rgb8};

use super::error::{BadValue, thrown};

/// Stops a generation from outside, while the model itself is busy.
#[wasm_bindgen]
#[derive(Default)]
pub struct CancelHandle(CancelToken);

#[wasm_bindgen]
impl CancelHandle {
    /// A handle for one generation.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the generation that was given this handle.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    pub(super) fn token(&self) -> CancelToken {
        self.0.clone()
    }
}

/// The options of a generation; what is absent keeps its default.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Options {
    max_new_tokens: Option<usize>,
    temperature: Option<f32>,
    top_k: Option<usize>,
    top_p: Option<f32>,
    seed: Option<u64>,
    beams: Option<usize>,
    stop: Option<Vec<String>>,
}

/// Pictures, a prompt, and how to answer it.
#[wasm_bindgen]
pub struct WasmRequest {
    pub(super) pictures: Vec<Rgb8>,
    pub(super) prompt: String,
    pub(super) options: GenerateOptions,
}

#[wasm_bindgen]
impl WasmRequest {
    /// A request without pictures yet.
    ///
    /// # Errors
    /// An unknown option, or one of a wrong type or out of range.
    #[wasm_bindgen(constructor)]
    pub fn new(prompt: String, options: JsValue) -> Result<Self, JsValue> {
        let given: Options = serde_wasm_bindgen::from_value(options)
            .map_err(|error| thrown(BadValue { what: "the generation's options", reason: error.to_string() }))?;
        let mut options = GenerateOptions::default();
        options.max_new_tokens = given.max_new_tokens.unwrap_or(options.max_new_tokens);
        options.temperature = given.temperature.unwrap_or(options.temperature);
        options.top_k = given.top_k.unwrap_or(options.top_k);
        options.top_p = given.top_p.unwrap_or(options.top_p);
        options.seed = given.seed.unwrap_or(options.seed);
        options.beams = given.beams.unwrap_or(options.beams);
        options.stop = given.stop.unwrap_or(options.stop);
        options.validate().map_err(thrown)?;
        Ok(Self { pictures: Vec::new(), prompt, options })
    }

    /// Adds a picture: rows of red, green, blue and straight alpha bytes. Alpha is laid over white.
    ///
    /// # Errors
    /// A size that does not fit the bytes, or is out of range.
    pub fn add_picture(&mut self, width: u32, height: u32, rgba: &[u8]) -> Result<(), JsValue> {
        self.pictures.push(Rgb8::from_rgba(width as usize, height as usize, rgba).map_err(thrown)?);
        Ok(())
    }
}
