//! Manifests of format 1, which was PaliGemma's alone: one list of shards for all parts, and a flag for the optional one.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{FORMAT, FileEntry, Manifest, WeightGroup};

/// The format's number.
pub const FORMAT_1: u32 = 1;

/// Reads a JSON object of format 1 as what format 2 would have made of it.
pub fn read(mut json: Value) -> serde_json::Result<Manifest> {
    let shards = Vec::<FileEntry>::deserialize(json["shards"].take())?;
    let mask_decoder = Option::<bool>::deserialize(json["mask_decoder"].take())?;
    json["format"] = FORMAT.into();
    json["architecture"] = "paligemma".into();
    json["parts"] = json!([]);
    let mut manifest = Manifest::deserialize(json)?;
    let mut parts = vec!["vision".to_owned(), "decoder".to_owned()];
    if mask_decoder == Some(true) {
        parts.push("mask_decoder".to_owned());
    }
    manifest.groups.push(WeightGroup { parts, shards });
    Ok(manifest)
}
