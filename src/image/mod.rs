//! Floor 5: pictures. Decoding, and the way from a picture's bytes to the numbers that a vision tower sees.

#[cfg(feature = "images")]
mod decode;
mod error;
mod fit;
mod preprocess;
mod resize;
mod rgb8;
#[cfg(all(test, feature = "images"))]
mod tests;

#[cfg(feature = "images")]
pub use decode::decode;
pub use error::ImageError;
pub use preprocess::Preprocessor;
pub use resize::{Filter, resize, resize_grey, resize_part};
pub use rgb8::Rgb8;
