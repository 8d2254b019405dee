//! Floor 9: a model that answers. Pictures and a prompt in, an [`Answer`] out.

mod inspect;
mod model;

pub use crate::generate::{Finish, GenerateOptions, Generation};
pub use crate::image::Rgb8;
#[cfg(feature = "cli")]
pub use crate::image::decode as decode_picture;
pub use crate::tensor::Dtype;
pub use inspect::{DecoderReport, Inspection, MemoryNeed, TensorReport, VisionReport, inspect};
pub use model::{Answer, Model, ModelOptions, Request, Timings};
