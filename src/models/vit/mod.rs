//! Vision transformers as classifiers and as towers of features: Hugging Face's ViT, and timm's by the name of their
//! architecture.

mod architecture;
mod hugging_face;
mod preset;
mod timm;

pub use architecture::Vit;
pub use preset::{FAMILIES, Family};
