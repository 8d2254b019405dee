use serde_json::Value;

use super::Architecture;
use super::paligemma::PaliGemma;
#[cfg(encoders)]
use super::siglip::{MODEL_TYPES, Siglip};
#[cfg(encoders)]
use super::vit::Vit;
use crate::base::{Fields, Result};

/// An architecture, and how it is opened from the contents of a `config.json`.
struct Entry {
    model_types: &'static [&'static str],
    open: fn(&Value) -> Result<Box<dyn Architecture>>,
}

/// Every architecture by the `model_type` of its `config.json`.
const ARCHITECTURES: &[Entry] = &[
    Entry { model_types: &["paligemma"], open: |json| Ok(Box::new(PaliGemma::from_hf(json)?)) },
    #[cfg(encoders)]
    Entry { model_types: &MODEL_TYPES, open: |json| Ok(Box::new(Siglip::from_hf(json)?)) },
    #[cfg(encoders)]
    Entry { model_types: &["vit"], open: |json| Ok(Box::new(Vit::from_hf(json)?)) },
];

fn known() -> String {
    let model_types = ARCHITECTURES.iter().flat_map(|entry| entry.model_types);
    let known = model_types.copied().collect::<Vec<_>>().join(", ");
    if cfg!(encoders) { known + ", or timm's architecture of a vit" } else { known }
}

/// The architecture that a `config.json` tells of: Hugging Face's by `model_type`, timm's by `architecture`.
///
/// # Errors
/// An architecture that is not known, or fields that make no model.
pub fn open(config: &Value) -> Result<Box<dyn Architecture>> {
    let fields = Fields::of("config.json", config)?;
    let model_type = fields.get("model_type");
    #[cfg(encoders)]
    if model_type.is_none() && fields.get("architecture").is_some() {
        return Ok(Box::new(Vit::from_timm(config)?));
    }
    let name = model_type.as_ref().and_then(|field| field.value().as_str());
    let entry = ARCHITECTURES.iter().find(|entry| name.is_some_and(|name| entry.model_types.contains(&name)));
    if let Some(entry) = entry {
        return (entry.open)(config);
    }
    let unknown = match model_type {
        Some(field) => field.unsupported(known()),
        None => fields.unsupported("model_type", "missing", known()),
    };
    Err(unknown.with_remedy(format!("Use a checkpoint of an architecture that ocelli knows: {}.", known())).into())
}
