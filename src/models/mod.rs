//! Floor 6: architectures. A model is a configuration, the weights it needs, the graphs of its passes, and what its files,
//! prompts and answers are made of; it knows no players.

mod detections;
mod grammar;
mod language;
pub mod mask_decoder;
pub mod paligemma;
mod recipe;
mod task;
mod weight_spec;

pub use detections::{Bounds, Detection, Detections, MaskCodes};
pub use grammar::Grammar;
pub use language::Language;
pub use recipe::{AnswerForm, Recipe};
pub use task::Task;
pub use weight_spec::{Form, Source, WeightSpec};
