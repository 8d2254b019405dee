use js_sys::{Float32Array, Function, Map, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::session::LoadProgress;
use crate::tasks::{Model, ModelOptions, Outcome};

use super::breath::now_ms;
use super::error::thrown;
use super::files;
use super::options::LoadOptions;
use super::request::{CallHandle, WasmRequest};
use super::value::to_js;

/// A model on a device.
#[wasm_bindgen]
pub struct WasmModel(pub(super) Model);

#[wasm_bindgen]
impl WasmModel {
    /// Loads a checkpoint from a map of file names to bytes, ready for a question; `progress` gets bytes done and bytes in all.
    ///
    /// # Errors
    /// Options out of range, files that are no model, or a device that is missing or too small.
    pub async fn load(files: Map, options: JsValue, progress: Function) -> Result<WasmModel, JsValue> {
        let options = LoadOptions::parse(options)?;
        let dtype = options.dtype()?;
        let player = options.player().await?;
        let files = files::take(&files)?;
        let mut report = |at: LoadProgress| {
            // A progress bar that fails must not stop the load.
            let _ = progress.call2(&JsValue::UNDEFINED, &(at.done as f64).into(), &(at.total as f64).into());
            Ok(())
        };
        let options = ModelOptions { dtype, ..ModelOptions::default() };
        let mut model = Model::load(&files, player, options, now_ms, &mut report).await.map_err(thrown)?;
        model.prepare().await.map_err(thrown)?;
        Ok(Self(model))
    }

    /// `gpu` or `cpu`.
    pub fn device(&self) -> String {
        self.0.player().device().into()
    }

    /// The adapter's name; empty where the browser keeps it secret.
    pub fn adapter(&self) -> String {
        self.0.player().adapter()
    }

    /// How its matrices are stored: `f32`, `f16`, `q8` or `q4`.
    pub fn dtype(&self) -> String {
        self.0.dtype().name().into()
    }

    /// Bytes held on the device: `{weightsBytes, kvBytes, activationBytes}`.
    ///
    /// # Errors
    /// None in practice.
    pub fn memory(&self) -> Result<JsValue, JsValue> {
        to_js(&self.0.memory())
    }

    /// Does a request's task; `emit` gets the text's pieces as they come. Vectors come as `values` beside the outcome.
    ///
    /// # Errors
    /// A request that does not fit the model, a cancelled call, or a failing device.
    pub async fn run(&mut self, request: &WasmRequest, call: &CallHandle, emit: Function) -> Result<JsValue, JsValue> {
        let mut emit = |piece: &str| {
            // A listener that fails must not stop the answer.
            let _ = emit.call1(&JsValue::UNDEFINED, &piece.into());
        };
        let WasmRequest { pictures, task, options } = request;
        let result = self.0.run_task(pictures, task, options, &call.0, &mut emit).await.map_err(thrown)?;
        let told = to_js(&result)?;
        if let Outcome::Embeddings { values, .. } | Outcome::Features { values, .. } = &result.outcome {
            // Beside the outcome, as one block: as a list each number would be an object.
            Reflect::set(&told, &"values".into(), &Float32Array::from(values.as_slice()))?;
        }
        Ok(told)
    }

    /// What it is, as packs call it.
    pub fn architecture(&self) -> String {
        self.0.architecture().into()
    }

    /// The tasks that it can do.
    pub fn tasks(&self) -> Vec<String> {
        self.0.tasks().into_iter().map(String::from).collect()
    }

    /// The logits at the last prompt position, right after a generation of one token.
    ///
    /// # Errors
    /// Nothing generated yet, or a failing device.
    pub async fn logits(&mut self) -> Result<Float32Array, JsValue> {
        let logits = self.0.logits().await.map_err(thrown)?;
        Ok(Float32Array::from(logits.as_slice()))
    }
}
