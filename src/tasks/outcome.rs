use serde::Serialize;

use super::{Answer, LabelScore, Mask};
use crate::models::{Bounds, Detection, MaskCodes};
use crate::session::MemoryUse;

/// What a task came to, as both edges tell it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TaskResult {
    /// What the task was for.
    pub outcome: Outcome,
    /// Bytes held on the device.
    pub memory: MemoryUse,
}

/// What a task was for: a kind of result a variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Outcome {
    /// Words.
    Text {
        /// The words.
        answer: Answer,
    },
    /// Things with their places.
    Objects {
        /// The words that they were read from.
        answer: Answer,
        /// What was found, in the model's order.
        objects: Vec<Object>,
        /// Objects that the model began and did not end well; they were left out.
        dropped: usize,
    },
    /// Which labels fit.
    Labels {
        /// Labels with their scores, best first.
        labels: Vec<LabelScore>,
        /// What is to be known about them, such as labels that were cut.
        warnings: Vec<String>,
    },
    /// Vectors that can be compared, one for each picture, then one for each text.
    Embeddings {
        /// How many.
        count: usize,
        /// Values of each.
        width: usize,
        /// Their values one after the other, as the model leaves them: their lengths differ.
        // A page gets these, too, as a Float32Array.
        #[serde(skip)]
        values: Vec<f32>,
        /// What is to be known about them, such as texts that were cut.
        warnings: Vec<String>,
    },
    /// What the image encoder makes of a picture.
    Features {
        /// Rows, one for each part of the picture.
        rows: usize,
        /// Values of each.
        width: usize,
        /// Their values one after the other.
        // A page gets these, too, as a Float32Array.
        #[serde(skip)]
        values: Vec<f32>,
    },
}

impl Outcome {
    /// The words, and the words that objects were read from; none of other outcomes.
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Text { answer } | Self::Objects { answer, .. } => Some(answer),
            _ => None,
        }
    }

    /// What was found; nothing where nothing was looked for.
    pub fn objects(&self) -> &[Object] {
        match self {
            Self::Objects { objects, .. } => objects,
            _ => &[],
        }
    }

    /// Objects that were left out.
    pub fn dropped(&self) -> usize {
        match self {
            Self::Objects { dropped, .. } => *dropped,
            _ => 0,
        }
    }
}

/// A thing found in a picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "FoundObject"))]
pub struct Object {
    /// What it is, in the model's words.
    pub label: String,
    /// How sure the model is of the box, from 0 to 1.
    pub score: f32,
    /// Where it is.
    #[serde(rename = "box")]
    pub bounds: Bounds,
    /// What the mask inside the box is decoded from, where the model gave one.
    #[serde(skip)]
    pub codes: Option<MaskCodes>,
    /// Its mask, where the model came with a decoder of masks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub mask: Option<Mask>,
}

impl From<Detection> for Object {
    fn from(found: Detection) -> Self {
        let Detection { label, score, bounds, codes } = found;
        Self { label, score, bounds, codes, mask: None }
    }
}
