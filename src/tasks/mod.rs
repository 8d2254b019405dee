//! Floor 9: a model that answers. Pictures and a prompt in, an [`Answer`] out.

mod classify;
#[cfg(feature = "convert")]
mod convert;
mod encoding;
#[cfg(all(feature = "convert", feature = "images"))]
mod folder_index;
mod generative;
mod inspect;
mod load;
mod masks;
mod model;
#[cfg(feature = "convert")]
mod model_checksum;
mod outcome;
mod plan;
mod run_task;
#[cfg(feature = "mmap")]
mod source;
mod sums;
mod unsupported;
#[cfg(feature = "convert")]
mod verify;
#[cfg(test)]
#[path = "tests/wire.rs"]
mod wire;

pub use crate::generate::{Call, Finish, GenerateOptions, Generation};
pub use crate::image::Rgb8;
#[cfg(feature = "images")]
pub use crate::image::decode as decode_picture;
pub use crate::models::paligemma::Preset;
pub use crate::models::paligemma::{MAX_PROMPT_CHARS, PromptError, SpecialIds, load_tokenizer, prompt};
pub use crate::models::{Bounds, Classify, Detections, MaskCodes, Task};
pub use crate::session::MemoryUse;
pub use crate::tensor::Dtype;
pub use classify::LabelScore;
#[cfg(feature = "convert")]
pub use convert::{ConvertOptions, Converted, convert};
#[cfg(all(feature = "convert", feature = "images"))]
pub use folder_index::{FailedPicture, Indexed, index_folder, index_model, open_index};
pub use inspect::{GroupReport, Inspection, MemoryNeed, TensorReport, TokenizerReport, inspect};
pub use load::{ModelLoader, reads_text};
pub use masks::Mask;
pub use model::{Answer, Model, ModelOptions, Request, Timings};
#[cfg(feature = "convert")]
pub use model_checksum::model_checksum;
pub use outcome::{Object, Outcome, TaskResult};
pub use plan::{
    ByPass, Costs, Fitted, Optimum, PlanOptions, SCALING_EXPONENTS, Seconds, VitShape, fit_points, plan_model,
    plan_shape,
};
#[cfg(feature = "mmap")]
pub use source::open;
#[cfg(feature = "convert")]
pub use verify::{Verified, verify};
