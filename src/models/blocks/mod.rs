//! What several architectures are made of; what differs between them is data.

mod gemma;
mod vit;

pub use gemma::GemmaConfig;
pub use vit::VitConfig;
