//! The generations of tensor names in PaliGemma checkpoints. What `save_pretrained` of 5.x writes mixes them.
//!
//! | part | published files, transformers 4.41 on | later 4.x | 5.x | saved by 5.23 |
//! | --- | --- | --- | --- | --- |
//! | tower | `vision_tower.vision_model.*` | `model.vision_tower.vision_model.*` | `model.vision_tower.*` | `vision_tower.*` |
//! | projector | `multi_modal_projector.*` | `model.multi_modal_projector.*` | the same | `multi_modal_projector.*` |
//! | decoder | `language_model.model.*` | `model.language_model.*` | the same | `language_model.model.*` |
//! | head | `language_model.lm_head.*` | `lm_head.*` | the same | none |

/// The name of the embedding in published files.
pub const EMBEDDING: &str = "language_model.model.embed_tokens.weight";
/// The name of the head in published files; it is tied to the embedding and normally absent.
pub const HEAD: &str = "language_model.lm_head.weight";

/// The name in published files of a tensor of any generation.
pub fn canonical(name: &str) -> String {
    if name.starts_with("lm_head.") {
        return format!("language_model.{name}");
    }
    let (within, rest) = match name.strip_prefix("model.") {
        Some(rest) => (true, rest),
        None => (false, name),
    };
    match (rest.strip_prefix("language_model."), rest.strip_prefix("vision_tower.")) {
        (Some(leaf), _) if within => format!("language_model.model.{leaf}"),
        (_, Some(leaf)) if !leaf.starts_with("vision_model.") => format!("vision_tower.vision_model.{leaf}"),
        _ => rest.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{HEAD, canonical};

    #[test]
    fn every_generation_has_the_names_of_published_files() {
        let norm = "vision_tower.vision_model.post_layernorm.bias";
        for name in [
            norm,
            "model.vision_tower.vision_model.post_layernorm.bias",
            "model.vision_tower.post_layernorm.bias",
            "vision_tower.post_layernorm.bias",
        ] {
            assert_eq!(canonical(name), norm, "{name}");
        }
        let last = "language_model.model.norm.weight";
        for name in [last, "model.language_model.norm.weight"] {
            assert_eq!(canonical(name), last, "{name}");
        }
        let projector = "multi_modal_projector.linear.bias";
        for name in [projector, "model.multi_modal_projector.linear.bias"] {
            assert_eq!(canonical(name), projector, "{name}");
        }
        assert_eq!(canonical("lm_head.weight"), HEAD);
    }
}
