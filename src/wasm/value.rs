use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

use super::error::{BadValue, thrown};

/// Reads what JavaScript gave; `what` is its name for messages.
pub(super) fn from_js<T: DeserializeOwned>(what: &'static str, value: JsValue) -> Result<T, JsValue> {
    serde_wasm_bindgen::from_value(value).map_err(|error| thrown(BadValue { what, reason: error.to_string() }))
}

/// What JavaScript gets.
pub(super) fn to_js<T: Serialize + ?Sized>(value: &T) -> Result<JsValue, JsValue> {
    serde_wasm_bindgen::to_value(value)
        .map_err(|error| thrown(BadValue { what: "the answer", reason: error.to_string() }))
}
