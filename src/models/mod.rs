//! Floor 6: architectures. A model is a configuration, the weights it needs and the graphs of its passes; it knows
//! neither players nor files.

pub mod mask_decoder;
pub mod paligemma;
mod weight_spec;

pub use weight_spec::{Form, Source, WeightSpec};
