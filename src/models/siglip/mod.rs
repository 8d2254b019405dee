//! SigLIP 1 and 2, of a fixed size and of any: an image encoder and a text encoder, one of them alone, or a classifier.

mod architecture;
#[cfg(feature = "npz")]
mod archive_config;
#[cfg(feature = "npz")]
mod big_vision;
mod checkpoint;
mod config;
mod text;
mod text_tower;

pub use architecture::Siglip;
#[cfg(feature = "npz")]
pub use archive_config::config_of_archive;
pub use config::{MODEL_TYPES, SiglipConfig};
pub use text::SiglipText;
pub use text_tower::TextTower;
