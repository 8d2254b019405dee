//! Floor 7: a model on a player. [`Session`] owns weights, states and plans, and knows no architecture; drivers above
//! it, such as [`AutoRegressive`], know in which order passes run and what they leave to one another.

mod auto_regressive;
mod cancel;
mod device;
mod encoder;
mod error;
mod estimate;
mod images;
mod kv_cache;
mod load_ledger;
mod loader;
mod mask_decoding;
mod memory_check;
mod pack_check;
mod pack_weights;
mod player;
#[expect(clippy::module_inception, reason = "the file of `Session` is called as what it holds")]
mod session;
mod states;
mod submitted;
mod too_large;
mod weights;

pub use auto_regressive::AutoRegressive;
pub use cancel::CancelToken;
pub use device::{DeviceChoice, automatic};
pub use encoder::{Encoder, MAX_IMAGES, Similarity};
pub use error::SessionError;
pub use estimate::{activation_bytes, reserved_cache_bytes};
pub use kv_cache::cache_bytes_per_token;
pub use loader::{LoadProgress, Loader, checkpoint_parts, checkpoint_specs, chunks};
pub use pack_check::PackCheck;
pub use pack_weights::{PackWeights, open_pack};
pub use player::Player;
pub use session::{MemoryUse, Session, SessionOptions};
pub use submitted::{Next, Submitted, TopToken};
pub use weights::{check_tensors, encode};

// What opens and describes a device, for the edges, which know this part and none below.
pub use crate::cpu::{Breath, CpuPlayer};
pub use crate::gpu::{AdapterReport, Counts, DeviceOptions, GpuPlayer, adapters};
pub use crate::kernels::{Capabilities, DeviceClass, SubgroupSizes};
// What a pass leaves behind is the model's to say and the caller's to choose.
pub use crate::models::PassOutput;
