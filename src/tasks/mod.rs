//! Floor 9: a model that answers. Pictures and a prompt in, an [`Answer`] out.

#[cfg(feature = "npz")]
mod config;
#[cfg(feature = "convert")]
mod convert;
mod inspect;
mod load;
mod masks;
mod model;
mod objects;
mod perform;
mod prompts;
mod sums;
#[cfg(feature = "convert")]
mod verify;

pub use crate::generate::{Call, Finish, GenerateOptions, Generation};
pub use crate::image::Rgb8;
#[cfg(feature = "images")]
pub use crate::image::decode as decode_picture;
pub use crate::models::paligemma::Preset;
pub use crate::tensor::Dtype;
#[cfg(feature = "convert")]
pub use convert::{ConvertOptions, Converted, convert};
pub use inspect::{DecoderReport, Inspection, MemoryNeed, TensorReport, TokenizerReport, VisionReport, inspect};
pub use load::ModelLoader;
pub use masks::Mask;
pub use model::{Answer, Model, ModelOptions, Request, Timings};
pub use objects::{Bounds, Found, MaskCodes, Object, objects};
pub use perform::Performed;
pub use prompts::{MAX_PROMPT_CHARS, PromptFault, Task};
#[cfg(feature = "convert")]
pub use verify::{Verified, verify};
