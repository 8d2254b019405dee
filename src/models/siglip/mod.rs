//! SigLIP 1 and 2, of a fixed size and of any: an image encoder and a text encoder, one of them alone, or a classifier.

mod architecture;
mod checkpoint;
mod config;
mod text;
mod text_tower;

pub use architecture::Siglip;
pub use config::{MODEL_TYPES, SiglipConfig};
pub use text::SiglipText;
pub use text_tower::TextTower;
