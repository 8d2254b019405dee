use js_sys::{Map, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::base::{ErrorKind, LayerError, Remedy};
use crate::format::MemoryFiles;
use crate::tasks;

use super::error::{BadValue, thrown};

/// The module's memory cannot grow enough to hold a file.
#[derive(Debug, thiserror::Error)]
#[error("the tab has no memory for {name} ({bytes} bytes)")]
struct NoRoom {
    name: String,
    bytes: usize,
}

impl LayerError for NoRoom {
    fn kind(&self) -> ErrorKind {
        ErrorKind::OutOfMemory
    }

    fn remedy(&self) -> Remedy {
        "Close other tabs, or choose a smaller checkpoint: a WebAssembly module holds at most 4 GB.".into()
    }
}

/// Moves files, a map of names to bytes, into the module's memory; the map is emptied on the way, so that no file is
/// held twice.
pub(super) fn take(files: &Map) -> Result<MemoryFiles, JsValue> {
    let names: Vec<JsValue> = files.keys().into_iter().collect::<Result<_, _>>()?;
    let mut taken = MemoryFiles::new();
    for key in names {
        let (Some(name), Ok(bytes)) = (key.as_string(), files.get(&key).dyn_into::<Uint8Array>()) else {
            return Err(thrown(BadValue { what: "files", reason: "expected a Map of names to Uint8Array".into() }));
        };
        let length = bytes.length() as usize;
        let mut held = Vec::new();
        held.try_reserve_exact(length).map_err(|_| thrown(NoRoom { name: name.clone(), bytes: length }))?;
        held.resize(length, 0);
        bytes.copy_to(&mut held);
        files.delete(&key);
        taken.insert(name, held);
    }
    Ok(taken)
}

/// Whether a model with this `config.json` needs a tokenizer. An architecture that is not known needs none: the load
/// tells what it is.
#[wasm_bindgen]
pub fn reads_text(config: &[u8]) -> bool {
    tasks::reads_text(config)
}
