use serde::Serialize;

/// Edges in pixels of the picture given: `xmin < xmax`, `ymin < ymax`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "Box"))]
pub struct Bounds {
    /// Left edge.
    pub xmin: f32,
    /// Upper edge.
    pub ymin: f32,
    /// Right edge.
    pub xmax: f32,
    /// Lower edge.
    pub ymax: f32,
}

/// Codes of a mask, row by row of a 4 x 4 grid.
pub type MaskCodes = [u8; 16];

/// A thing that an answer places in a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// What it is, in the model's words.
    pub label: String,
    /// How sure the model was of the box, 0 to 1: the geometric mean of the probabilities of its four tokens, or what
    /// that means by the model's own measure.
    pub score: f32,
    /// Where it is.
    pub bounds: Bounds,
    /// What the mask inside the box is decoded from, where the model gave one.
    pub codes: Option<MaskCodes>,
}

/// What an answer holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Detections {
    /// Well-formed objects, in the model's order.
    pub objects: Vec<Detection>,
    /// Malformed ones that were left out: edges missing or reversed, codes missing, no label.
    pub dropped: usize,
}
