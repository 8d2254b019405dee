use serde_json::Value;

use super::Architecture;
use super::paligemma::PaliGemma;
use crate::base::{ErrorKind, Fault, Remedy, Result};

/// An architecture, and how it is opened from the contents of a `config.json`.
struct Entry {
    model_type: &'static str,
    open: fn(&Value) -> Result<Box<dyn Architecture>>,
}

/// Every architecture by the `model_type` of its `config.json`.
const ARCHITECTURES: &[Entry] =
    &[Entry { model_type: "paligemma", open: |json| Ok(Box::new(PaliGemma::from_hf(json)?)) }];

/// A checkpoint of an architecture that is not known.
#[derive(Debug, thiserror::Error)]
#[error("config.json: model_type is {found}, expected {}", known())]
struct UnknownArchitecture {
    found: String,
}

impl Fault for UnknownArchitecture {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unsupported
    }

    fn remedy(&self) -> Remedy {
        format!("Use a checkpoint of an architecture that ocelli knows: {}.", known()).into()
    }
}

fn known() -> String {
    ARCHITECTURES.iter().map(|entry| entry.model_type).collect::<Vec<_>>().join(", ")
}

/// The architecture that a `config.json` tells of.
///
/// # Errors
/// A `model_type` that is not known, or fields that make no model.
pub fn open(config: &Value) -> Result<Box<dyn Architecture>> {
    let model_type = config.get("model_type").and_then(Value::as_str);
    match ARCHITECTURES.iter().find(|entry| Some(entry.model_type) == model_type) {
        Some(entry) => (entry.open)(config),
        None => {
            Err(UnknownArchitecture { found: model_type.map_or("missing".into(), |found| format!("{found:?}")) }.into())
        }
    }
}
