//! The names of tensors in SigLIP checkpoints. Towers that are stored alone have their prefix in published files, and none
//! in the memory of transformers 5.

#[cfg(feature = "npz")]
use super::big_vision::ARCHIVE;
use crate::format::CheckpointRules;

/// The prefix of the image encoder's tensors.
pub const VISION: &str = "vision_model";
/// The prefix of the text encoder's tensors.
pub const TEXT: &str = "text_model";

/// What is peculiar to the checkpoint of both: big_vision's may be read.
pub fn whole() -> CheckpointRules {
    CheckpointRules {
        #[cfg(feature = "npz")]
        archive: Some(&ARCHIVE),
        ..CheckpointRules::default()
    }
}

/// What is peculiar to the checkpoint of an image encoder alone.
pub fn vision_alone() -> CheckpointRules {
    CheckpointRules { canonical: |name| prefixed(VISION, name), ..CheckpointRules::default() }
}

/// What is peculiar to the checkpoint of a text encoder alone.
pub fn text_alone() -> CheckpointRules {
    CheckpointRules { canonical: |name| prefixed(TEXT, name), ..CheckpointRules::default() }
}

/// A name with the tower's prefix; those of other parts have their own.
fn prefixed(tower: &str, name: &str) -> String {
    let others = [VISION, TEXT, "classifier", "logit_scale", "logit_bias"];
    let first = name.split('.').next().unwrap_or_default();
    if others.contains(&first) { name.to_owned() } else { format!("{tower}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn towers_alone_are_found_with_and_without_their_prefix() {
        let canonical = vision_alone().canonical;
        for name in ["post_layernorm.bias", "vision_model.post_layernorm.bias"] {
            assert_eq!(canonical(name), "vision_model.post_layernorm.bias");
        }
        assert_eq!(canonical("classifier.bias"), "classifier.bias");
        assert_eq!((text_alone().canonical)("head.bias"), "text_model.head.bias");
    }
}
