//! Floor 0: errors and arithmetic that everything else stands on.

mod error;
mod math;

pub use error::{Error, ErrorKind, Fault, Result};
pub use math::{ceil_div, round_up};
