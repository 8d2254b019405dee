use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::models::paligemma::{SpecialIds, load_tokenizer};
use crate::text::Tokenizer;

use super::error::thrown;

/// A tokenizer alone, so that a page can see what becomes of its texts without a model.
#[wasm_bindgen]
pub struct WasmTokenizer(Tokenizer);

#[wasm_bindgen]
impl WasmTokenizer {
    /// Reads a tokenizer of either form; `bos` and `image` are the ids that the configuration tells.
    ///
    /// # Errors
    /// A damaged file, parts that Gemma's does not have, or special tokens that are elsewhere.
    #[wasm_bindgen(constructor)]
    pub fn new(file: &[u8], bos: u32, image: u32) -> Result<WasmTokenizer, JsValue> {
        load_tokenizer(file, SpecialIds { bos, image }).map(|(tokenizer, _)| Self(tokenizer)).map_err(thrown)
    }

    /// Ids of a text.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.0.encode(text)
    }

    /// The text of ids, without special tokens.
    pub fn decode(&self, ids: &[u32]) -> String {
        self.0.decode(ids)
    }
}
