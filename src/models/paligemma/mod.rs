//! PaliGemma 1 and 2: a SigLIP vision encoder, a linear projector and a Gemma decoder with a prefix-LM mask.
//!
//! Beyer et al., "PaliGemma: A versatile 3B VLM for transfer" (2024); Steiner et al., "PaliGemma 2" (2024).

mod architecture;
#[cfg(feature = "npz")]
mod big_vision;
mod checkpoint;
mod config;
mod language;
pub mod mask_decoder;
mod names;
mod objects;
mod objects_grammar;
mod preset;
#[cfg(feature = "npz")]
mod preset_config;
mod prompts;
mod recipe;
mod tokens;

pub use architecture::PaliGemma;
pub use checkpoint::{CHECKPOINT, MASK_DECODER_FILES};
pub use config::PaliGemmaConfig;
pub use language::PaliGemmaLanguage;
pub use objects::{calibrate, objects};
pub use objects_grammar::ObjectGrammar;
pub use preset::{Preset, Sizes, SpecialTokens};
#[cfg(feature = "npz")]
pub use preset_config::config_json;
pub use prompts::{MAX_PROMPT_CHARS, PromptError, prompt};
pub use tokens::{ObjectTokens, PromptTokens, SpecialIds, SpecialToken, TokenError, load_tokenizer};
