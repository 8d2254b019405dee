use super::masks::Mask;
use crate::models::{Bounds, Detection, MaskCodes};

/// A thing found in a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// What it is, in the model's words.
    pub label: String,
    /// How sure the model was of it, 0 to 1.
    pub score: f32,
    /// Where it is.
    pub bounds: Bounds,
    /// What the mask inside the box is decoded from, where the model gave one.
    pub codes: Option<MaskCodes>,
    /// Its mask, where the model came with a decoder of masks.
    pub mask: Option<Mask>,
}

impl From<Detection> for Object {
    fn from(found: Detection) -> Self {
        let Detection { label, score, bounds, codes } = found;
        Self { label, score, bounds, codes, mask: None }
    }
}
