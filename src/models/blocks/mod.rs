//! What several architectures are made of; what differs between them is data.

#[cfg(feature = "npz")]
pub(in crate::models) mod big_vision;
mod encoder;
mod encoder_names;
mod gemma;
mod gemma_config;
mod head_size;
mod image_tower;
mod labels;
mod pooling;
mod vit;
mod vit_config;

pub use encoder::EncoderConfig;
pub use encoder_names::{EncoderNames, HF_VIT, QkvNames, SIGLIP, SIGLIP_TEXT, TIMM};
pub use gemma_config::GemmaConfig;
pub(super) use head_size::check_head_size;
pub use image_tower::ImageTower;
pub use labels::{labels_of, listed_labels};
pub use pooling::{PoolLayers, PoolNames, Pooling, SIGLIP_POOL, TIMM_POOL};
pub use vit_config::{PatchOrder, Prefix, VitConfig};
