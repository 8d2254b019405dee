//! The three generations of tensor names in PaliGemma checkpoints.
//!
//! | part | published files, transformers 4.41 on | later 4.x | 5.x |
//! | --- | --- | --- | --- |
//! | tower | `vision_tower.vision_model.*` | `model.vision_tower.vision_model.*` | `model.vision_tower.*` |
//! | projector | `multi_modal_projector.*` | `model.multi_modal_projector.*` | the same |
//! | decoder | `language_model.model.*` | `model.language_model.*` | the same |
//! | head | `language_model.lm_head.*` | `lm_head.*` | the same |

/// The name of the embedding in published files.
pub const EMBEDDING: &str = "language_model.model.embed_tokens.weight";
/// The name of the head in published files; it is tied to the embedding and normally absent.
pub const HEAD: &str = "language_model.lm_head.weight";

/// The name in published files of a tensor of any generation.
pub fn canonical(name: &str) -> String {
    if name.starts_with("lm_head.") {
        return format!("language_model.{name}");
    }
    let Some(rest) = name.strip_prefix("model.") else {
        return name.to_owned();
    };
    if let Some(leaf) = rest.strip_prefix("language_model.") {
        return format!("language_model.model.{leaf}");
    }
    match rest.strip_prefix("vision_tower.") {
        Some(leaf) if !leaf.starts_with("vision_model.") => format!("vision_tower.vision_model.{leaf}"),
        _ => rest.to_owned(),
    }
}
