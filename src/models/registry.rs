use serde_json::Value;

use super::Architecture;
use super::paligemma::PaliGemma;
use crate::base::{Fields, Result};

/// An architecture, and how it is opened from the contents of a `config.json`.
struct Entry {
    model_type: &'static str,
    open: fn(&Value) -> Result<Box<dyn Architecture>>,
}

/// Every architecture by the `model_type` of its `config.json`.
const ARCHITECTURES: &[Entry] =
    &[Entry { model_type: "paligemma", open: |json| Ok(Box::new(PaliGemma::from_hf(json)?)) }];

fn known() -> String {
    ARCHITECTURES.iter().map(|entry| entry.model_type).collect::<Vec<_>>().join(", ")
}

/// The architecture that a `config.json` tells of.
///
/// # Errors
/// A `model_type` that is not known, or fields that make no model.
pub fn open(config: &Value) -> Result<Box<dyn Architecture>> {
    let fields = Fields::of("config.json", config)?;
    let model_type = fields.get("model_type");
    let name = model_type.as_ref().and_then(|field| field.value().as_str());
    if let Some(entry) = ARCHITECTURES.iter().find(|entry| Some(entry.model_type) == name) {
        return (entry.open)(config);
    }
    let unknown = match model_type {
        Some(field) => field.unsupported(known()),
        None => fields.unsupported("model_type", "missing", known()),
    };
    Err(unknown.with_remedy(format!("Use a checkpoint of an architecture that ocelli knows: {}.", known())).into())
}
