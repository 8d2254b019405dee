//! Floor 7: a model on a player: its weights, its KV cache, its plans and its passes. Sole owner of model state.

mod arrivals;
mod cancel;
mod device;
mod error;
mod load;
mod passes;
mod player;
mod room;
mod states;
mod too_large;
mod weights;

pub use cancel::CancelToken;
pub use device::{DeviceChoice, automatic};
pub use error::SessionFault;
pub use load::{LoadProgress, Loader, PackCheck, chunks, pack_specs, stored_dtype};
pub use passes::{Choice, MemoryUse, Session, SessionOptions, Submitted};
pub use player::Player;
pub use weights::{check_shapes, encode, weight_specs};

// What opens and describes a device, for the edges, which know this part and none below.
pub use crate::cpu::{Breath, CpuPlayer};
pub use crate::gpu::{AdapterReport, Counts, DeviceOptions, GpuPlayer, adapters};
pub use crate::kernels::{Capabilities, DeviceClass, SubgroupSizes};
// What a pass leaves behind is the model's to say and the caller's to choose.
pub use crate::models::paligemma::PassOutput;
