//! Floor 9: a model that answers. Pictures and a prompt in, an [`Answer`] out.

mod inspect;
mod masks;
mod model;
mod objects;
mod perform;
mod prompts;

pub use crate::generate::{Finish, GenerateOptions, Generation};
pub use crate::image::Rgb8;
#[cfg(feature = "cli")]
pub use crate::image::decode as decode_picture;
pub use crate::tensor::Dtype;
pub use inspect::{DecoderReport, Inspection, MemoryNeed, TensorReport, VisionReport, inspect};
pub use masks::Mask;
pub use model::{Answer, Model, ModelOptions, Request, Timings};
pub use objects::{Bounds, Found, MaskCodes, Object, objects};
pub use perform::Performed;
pub use prompts::{MAX_PROMPT_CHARS, PromptFault, Task};
