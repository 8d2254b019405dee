//! Boxes, masks and labels out of an answer's tokens.

use super::masks::Mask;
use crate::text::{Mark, Tokenizer};

/// A box in pixels of the picture given: `xmin < xmax`, `ymin < ymax`.
#[derive(Debug, Clone, Copy, PartialEq)]
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

/// A thing found in a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// What it is, in the model's words.
    pub label: String,
    /// How sure the model was of the box, 0 to 1: the geometric mean of the probabilities of its four tokens, or what
    /// that means by the model's own measure.
    pub score: f32,
    /// Where it is.
    pub bounds: Bounds,
    /// What the mask inside the box is decoded from, where the model gave one.
    pub codes: Option<MaskCodes>,
    /// Its mask, where the model came with a decoder of masks.
    pub mask: Option<Mask>,
}

/// What an answer holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Well-formed objects, in the model's order.
    pub objects: Vec<Object>,
    /// Malformed ones that were left out: edges missing or reversed, codes missing, no label.
    pub dropped: usize,
}

/// The largest bin of an edge: bins run from one side of the picture to the other, both included.
const LAST_BIN: f32 = 1023.0;

/// One object's tokens as they come.
#[derive(Default)]
struct Part {
    edges: Vec<u16>,
    logprobs: f32,
    codes: Vec<u8>,
    label: Vec<u32>,
}

/// Reads `<loc>` x 4, `<seg>` x 16 or none, and a label, for each object; ` ; ` stands between them.
///
/// `logprobs` are those of `tokens`; `size` is the picture's `[width, height]` in pixels. Text in front of the first box
/// is no object; everything else that does not fit is counted.
pub fn objects(tokenizer: &Tokenizer, tokens: &[u32], logprobs: &[f32], size: [usize; 2]) -> Found {
    let mut found = Found::default();
    let mut part = Part::default();
    for (&token, &logprob) in tokens.iter().zip(logprobs) {
        match tokenizer.mark(token) {
            Mark::Location(bin) => {
                if !part.codes.is_empty() || !part.label.is_empty() {
                    found.take(tokenizer, std::mem::take(&mut part), size);
                }
                part.edges.push(bin);
                part.logprobs += logprob;
            }
            Mark::Segment(code) => {
                if !part.label.is_empty() {
                    found.take(tokenizer, std::mem::take(&mut part), size);
                }
                part.codes.push(code);
            }
            Mark::Text => part.label.push(token),
        }
    }
    found.take(tokenizer, part, size);
    found
}

impl Found {
    fn take(&mut self, tokenizer: &Tokenizer, part: Part, size: [usize; 2]) {
        if part.edges.is_empty() && part.codes.is_empty() {
            // Words before the first box, or nothing at all.
            return;
        }
        match object(tokenizer, &part, size) {
            Some(object) => self.objects.push(object),
            None => self.dropped += 1,
        }
    }
}

fn object(tokenizer: &Tokenizer, part: &Part, [width, height]: [usize; 2]) -> Option<Object> {
    let &[top, left, bottom, right] = part.edges.as_slice() else { return None };
    let codes = match part.codes.as_slice() {
        [] => None,
        codes => Some(MaskCodes::try_from(codes).ok()?),
    };
    let text = tokenizer.decode(&part.label);
    let label = text.split(';').next().unwrap_or_default().trim();
    if top >= bottom || left >= right || label.is_empty() {
        return None;
    }
    let at = |bin: u16, side: usize| f32::from(bin) / LAST_BIN * side as f32;
    let bounds =
        Bounds { xmin: at(left, width), ymin: at(top, height), xmax: at(right, width), ymax: at(bottom, height) };
    Some(Object { label: label.to_owned(), score: (part.logprobs / 4.0).exp(), bounds, codes, mask: None })
}
