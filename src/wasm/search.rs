use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::search::{IndexModel, Source, VectorIndex};

use super::error::thrown;
use super::value::{from_js, to_js};

/// An index of vectors, searched by cosine.
#[wasm_bindgen]
pub struct WasmIndex(VectorIndex);

#[wasm_bindgen]
impl WasmIndex {
    /// An index without a vector, for vectors of `width` values by the model `{checksum, dtype}`.
    ///
    /// # Errors
    /// A model that is not told so.
    #[wasm_bindgen(constructor)]
    pub fn new(width: usize, model: JsValue) -> Result<WasmIndex, JsValue> {
        let model: IndexModel = from_js("the index's model", model)?;
        Ok(Self(VectorIndex::new(width, model)))
    }

    /// Reads an index as it was written.
    ///
    /// # Errors
    /// Bytes that are no index, a file that was cut off or changed.
    pub fn read(bytes: &[u8]) -> Result<WasmIndex, JsValue> {
        VectorIndex::read(bytes).map(Self).map_err(thrown)
    }

    /// Its file.
    pub fn write(&self) -> Vec<u8> {
        self.0.write()
    }

    /// The model that made its vectors, `{checksum, dtype}`.
    ///
    /// # Errors
    /// None in practice.
    pub fn model(&self) -> Result<JsValue, JsValue> {
        to_js(self.0.model())
    }

    /// Values of a vector.
    pub fn width(&self) -> usize {
        self.0.width()
    }

    /// What its vectors were made of: `{name, size, modified}` each.
    ///
    /// # Errors
    /// None in practice.
    pub fn sources(&self) -> Result<JsValue, JsValue> {
        to_js(self.0.sources())
    }

    /// Adds a vector, or puts it in the place of the one of that name; false where it has another width or no length.
    ///
    /// # Errors
    /// A source that is none.
    pub fn add(&mut self, source: JsValue, vector: &[f32]) -> Result<bool, JsValue> {
        let source: Source = from_js("the vector's source", source)?;
        Ok(self.0.add(source, vector))
    }

    /// Removes the vector of a name; whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        self.0.remove(name)
    }

    /// The vectors most like another, best first: `{source, score}` each.
    ///
    /// # Errors
    /// None in practice.
    pub fn search(&self, vector: &[f32], top: usize, least: f32) -> Result<JsValue, JsValue> {
        to_js(&self.0.search(vector, top, least))
    }

    /// Names of vectors that are all but the same, in groups.
    ///
    /// # Errors
    /// None in practice.
    pub fn doubles(&self, least: f32) -> Result<JsValue, JsValue> {
        to_js(&self.0.doubles(least))
    }
}
