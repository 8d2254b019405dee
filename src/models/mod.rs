//! Floor 6: architectures. A model says everything once: its configuration, the graphs of its passes, and what its
//! files, prompts and answers are made of; it knows no players.

mod architecture;
#[cfg(feature = "npz")]
mod archive_config;
pub mod blocks;
mod detections;
mod encoders;
mod grammar;
mod language;
mod names;
pub mod paligemma;
mod pass;
mod recipe;
mod registry;
pub mod shape_law;
pub mod siglip;
pub mod states;
mod task;
pub mod vit;

pub use architecture::{
    Architecture, Decoder, ImageInput, Part, Section, weight_specs, weights_by_part, with_tokenizer,
};
#[cfg(feature = "npz")]
pub use archive_config::config_json;
pub use detections::{Bounds, Detection, Detections, MaskCodes};
pub use encoders::{Encoders, ImageEncoder, ImageSize, Labels, TextEncoder, TextIds, TextInput};
pub use grammar::Grammar;
pub use language::Language;
pub use names::Names;
pub use pass::{DecoderPass, ImagesOutput, ImagesPass, Pass, PassOutput};
pub use recipe::{AnswerForm, Recipe};
pub use registry::open;
pub use task::{Classify, Question, Task};
