use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::tasks::{Call, GenerateOptions, Rgb8, Task};

use super::error::thrown;
use super::value::from_js;

/// One generation: stops it from outside, while the model itself is busy, and knows what it has said, so that another
/// model takes it up where the device of the first was lost.
#[wasm_bindgen]
#[derive(Default)]
pub struct CallHandle(pub(super) Call);

#[wasm_bindgen]
impl CallHandle {
    /// A handle for one generation.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the generation that was given this handle.
    pub fn cancel(&self) {
        self.0.cancel.cancel();
    }
}

/// Pictures, what is asked about them, and how to answer it.
#[wasm_bindgen]
pub struct WasmRequest {
    pub(super) pictures: Vec<Rgb8>,
    pub(super) task: Task,
    pub(super) options: GenerateOptions,
}

#[wasm_bindgen]
impl WasmRequest {
    /// A request without pictures yet.
    ///
    /// # Errors
    /// An unknown task or option, or one of a wrong type or out of range.
    #[wasm_bindgen(constructor)]
    pub fn new(task: JsValue, options: JsValue) -> Result<Self, JsValue> {
        let task = from_js("the question", task)?;
        let options: GenerateOptions = from_js("the generation's options", options)?;
        options.validate().map_err(thrown)?;
        Ok(Self { pictures: Vec::new(), task, options })
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
