//! What several architectures are made of; what differs between them is data.

mod gemma;
mod gemma_config;
mod head_size;
mod vit;
mod vit_config;

pub use gemma_config::GemmaConfig;
pub use vit_config::VitConfig;
