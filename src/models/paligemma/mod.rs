//! PaliGemma 1 and 2: a SigLIP vision encoder, a linear projector and a Gemma decoder with a prefix-LM mask.
//!
//! Beyer et al., "PaliGemma: A versatile 3B VLM for transfer" (2024); Steiner et al., "PaliGemma 2" (2024).

mod architecture;
mod config;
pub mod mask_decoder;
mod preset;

pub use architecture::PaliGemma;
pub use config::{ConfigFault, PaliGemmaConfig};
pub use preset::{Preset, Sizes, SpecialTokens};
