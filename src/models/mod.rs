//! Floor 6: architectures. A model says everything once: its configuration, the graphs of its passes, and what they
//! take; it knows neither players nor files.

mod architecture;
pub mod blocks;
mod names;
pub mod paligemma;
mod pass;
mod registry;
pub mod states;

pub use architecture::{Architecture, Decoder, ImageInput, Part, Section, TextInput, weight_specs};
pub use names::Names;
pub use pass::{DecoderPass, Pass, PassOutput};
pub use registry::open;
