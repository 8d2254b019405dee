//! PaliGemma 1 and 2: a SigLIP tower, a linear projector and a Gemma decoder with a prefix-LM mask.
//!
//! Beyer et al., "PaliGemma: A versatile 3B VLM for transfer" (2024); Steiner et al., "PaliGemma 2" (2024).

mod config;
mod decoder;
mod preset;
mod vision;
mod weights;

pub use config::{ConfigFault, DecoderConfig, PaliGemmaConfig, VisionConfig};
pub use decoder::{DecoderPass, PassOutput, decoder};
pub use preset::{Preset, Sizes, SpecialTokens};
pub use vision::vision;
pub use weights::{of_tower, weights};
