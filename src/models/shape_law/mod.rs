//! Shapes of vision transformers and what they cost, and how the best shape grows with compute: Alabdulmohsin et al.,
//! "Getting ViT in Shape" (2023).

mod bad_shape;
mod fit;
mod law;
mod ray;
mod shape;
mod tower;

pub use bad_shape::BadShape;
pub use fit::{LEAST_POINTS, Point, fit};
pub use law::ShapeLaw;
pub use ray::{SCALING_EXPONENTS, on_ray};
pub use shape::{NAMES, VitShape};
