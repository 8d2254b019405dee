use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::kernels::{Access, KernelId};

use super::error::{BadValue, thrown};

/// A kernel as a browser would be given it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KernelText {
    name: &'static str,
    wgsl: String,
    /// For each binding of group 0, whether the kernel only reads it.
    read_only: Vec<bool>,
    has_params: bool,
    uses_step: bool,
    shader_f16: bool,
    subgroups: bool,
}

/// Every kernel's text, so that a page can have its own browser compile them all.
///
/// # Errors
/// None in practice; the list is plain data.
#[wasm_bindgen]
pub fn kernels() -> Result<JsValue, JsValue> {
    let texts: Vec<KernelText> = KernelId::ALL
        .iter()
        .map(|kernel| {
            let info = kernel.info();
            KernelText {
                name: info.name,
                wgsl: info.browser_wgsl().into_owned(),
                read_only: info.bindings.iter().map(|access| *access == Access::Read).collect(),
                has_params: info.params_size > 0,
                uses_step: info.uses_step,
                shader_f16: info.needs.shader_f16,
                subgroups: info.needs.subgroups,
            }
        })
        .collect();
    serde_wasm_bindgen::to_value(&texts)
        .map_err(|error| thrown(BadValue { what: "the kernel table", reason: error.to_string() }))
}
