//! Floor 0: errors and arithmetic that everything else stands on.

mod details;
mod error;
mod math;
mod remedy;

pub use details::{Details, Fit};
pub use error::{Error, ErrorKind, Fault, Result};
pub use math::{ceil_div, round_up};
pub use remedy::{Remedy, RemedyPart, Setting};
