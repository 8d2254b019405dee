use std::cell::RefCell;

use js_sys::Function;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

thread_local! {
    static REPORT: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Has `report` called with a sentence if the module panics.
///
/// A panic is a defect and ends the module: its promises stay open for ever, so whoever holds them must be told.
#[wasm_bindgen]
pub fn report_panics(report: Function) {
    REPORT.set(Some(report));
    std::panic::set_hook(Box::new(|panic| {
        let sentence = panic.to_string();
        REPORT.with_borrow(|report| {
            if let Some(report) = report {
                // Nobody is left to tell of a reporter that itself fails.
                let _ = report.call1(&JsValue::UNDEFINED, &sentence.into());
            }
        });
    }));
}
