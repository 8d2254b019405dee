//! Floor 3: operations, one file a family.
//!
//! An operation is a struct of its operands that says what it reads and writes, which shape comes out, and which
//! dispatches do it ([`Operation`]). The functions of the same names take tensors by handle, choose the kernel that
//! suits the device, fill in its parameters and grid, and emit dispatches. Pure functions throughout.

mod activation;
mod attention;
mod convolution;
mod elementwise;
mod embed;
mod emitter;
mod gather_slots;
mod linear;
mod norm;
mod operand;
mod operation;
mod patchify;
mod prepend;
mod resize_table;
mod rope;
mod select;
mod select_rows;
mod shape;
mod value;

pub use activation::{Activate, activate};
pub use attention::{Attention, AttentionBias, AttentionSpec, HEAD_DIMS, KeySource, Mask, attention, has_head_dim};
pub use convolution::{Fold, FoldSpec, Grid, Unfold, fold, unfold};
pub use elementwise::{Add, add};
pub use embed::{Embed, embed};
pub use emitter::Emitter;
pub use gather_slots::{CacheSpec, GatherSlots, gather_slots};
pub use linear::{Linear, LinearOperands, linear};
pub use norm::{LayerNorm, RmsNorm, layer_norm, rms_norm};
pub use operand::{RowChoice, ShardOperand, Tensor, WeightOperand};
pub use operation::{Bind, Operation};
pub use patchify::{Patchify, patchify};
pub use prepend::{Prepend, prepend};
pub use resize_table::{ResizeTable, resize_table};
pub use rope::{RopeAppend, RopeSpec, rope_append};
pub use select::{ArgMax, LogSoftmax, TopK, argmax, log_softmax, top_k};
pub use select_rows::{MeanRows, SelectRows, mean_rows, select_rows};
pub use shape::{Extents, ShapeError, Shapes};
pub use value::{Operand, Value, WeightId};

pub use crate::kernels::{Activation, Function};

operation::operations! {
    Embed,
    Patchify,
    ResizeTable,
    Prepend,
    SelectRows,
    MeanRows,
    Unfold,
    Fold,
    Linear,
    LayerNorm,
    RmsNorm,
    RopeAppend,
    Attention,
    GatherSlots,
    Activate,
    Add,
    ArgMax,
    TopK,
    LogSoftmax,
}
