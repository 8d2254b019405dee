use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::format::pack::Manifest;
use crate::tasks::{ModelLoader, Rgb8};

use super::breath::now_ms;
use super::error::thrown;
use super::model::WasmModel;
use super::options::LoadOptions;

/// A pack on its way to a device, shard by shard: only one is in the module's memory at a time.
#[wasm_bindgen]
pub struct WasmPack(ModelLoader);

#[wasm_bindgen]
impl WasmPack {
    /// Opens a device and takes memory for the weights that `ocelli.json` tells. Without a tokenizer where the pack has none.
    ///
    /// # Errors
    /// Options out of range, a manifest or tokenizer that cannot be used, a device that is missing or too small.
    pub async fn begin(manifest: Vec<u8>, tokenizer: Option<Vec<u8>>, options: JsValue) -> Result<WasmPack, JsValue> {
        let manifest = Manifest::parse(&manifest).map_err(thrown)?;
        let options = LoadOptions::parse(options)?;
        let (player, parts) = (options.player().await?, options.parts());
        let begun = ModelLoader::begin(player, &manifest, tokenizer.as_deref(), parts.as_deref(), true, now_ms);
        begun.await.map(Self).map_err(thrown)
    }

    /// Makes all that a first question needs besides the weights; they may come meanwhile, and are pushed afterwards.
    ///
    /// # Errors
    /// A device without the memory or limits for it.
    pub async fn prepare(&mut self) -> Result<(), JsValue> {
        self.0.prepare().await.map_err(thrown)
    }

    /// Puts the next shard on the device; the share of all weights that is there then.
    ///
    /// # Errors
    /// A file that contradicts itself, the manifest or the order; a failing device.
    pub fn push(&mut self, file: &str, bytes: &[u8]) -> Result<f64, JsValue> {
        let at = self.0.push(file, bytes).map_err(thrown)?;
        Ok(at.done as f64 / at.total.max(1) as f64)
    }

    /// Whether the vision encoder is there, which comes first.
    pub fn vision_ready(&self) -> bool {
        self.0.vision_ready()
    }

    /// Encodes a picture while the decoder's weights are on their way: rows of red, green, blue and straight
    /// alpha bytes.
    ///
    /// # Errors
    /// A size that does not fit the bytes, a vision encoder that is not there, a failing device.
    pub async fn encode_image(&mut self, width: u32, height: u32, rgba: Vec<u8>) -> Result<(), JsValue> {
        let picture = Rgb8::from_rgba(width as usize, height as usize, &rgba).map_err(thrown)?;
        self.0.encode_image(&picture).await.map_err(thrown)
    }

    /// The model, once all weights are there.
    ///
    /// # Errors
    /// A weight that has not come.
    pub fn finish(self) -> Result<WasmModel, JsValue> {
        self.0.finish().map(WasmModel).map_err(thrown)
    }
}
