//! Floor 3: one file per operation family. A function here takes tensors by handle and their shapes, chooses the
//! kernel that suits the device, fills in its parameters and grid, and emits dispatches. Pure functions throughout.

mod attention;
mod convolution;
mod elementwise;
mod embed;
mod emitter;
mod linear;
mod norm;
mod operand;
mod patchify;
mod rope;
mod select;

pub use attention::{AttentionSpec, KeySource, Mask, attention};
pub use convolution::{FoldSpec, Grid, fold, unfold};
pub use elementwise::{Activation, activate, add};
pub use embed::embed;
pub use emitter::Emitter;
pub use linear::{LinearOperands, linear};
pub use norm::{layer_norm, rms_norm};
pub use operand::{RowChoice, ShardOperand, Tensor, WeightOperand};
pub use patchify::patchify;
pub use rope::{RopeSpec, rope_append};
pub use select::{argmax, log_softmax, top_k};
