//! Floor 0: errors, arithmetic and the reading of a model's JSON fields, that everything else stands on.

mod details;
mod error;
mod field;
mod field_error;
mod fields;
mod lock;
mod math;
mod remedy;
mod sort;

pub use details::{Details, Fit};
pub use error::{Error, ErrorKind, LayerError, Result};
pub use field::Field;
pub use field_error::FieldError;
pub use fields::Fields;
pub use lock::lock;
pub use math::{ceil_div, length, round_up, unit};
pub use remedy::{Remedy, RemedyPart, Setting};
pub use sort::{sort_by, sort_by_key};
