//! Boxes, masks and labels out of an answer's tokens.

use super::tokens::{ObjectTokens, SpecialToken};
use crate::models::{Bounds, Detection, Detections, MaskCodes};
use crate::text::Tokenizer;

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
/// `logprobs` are those of `answer`; `size` is the picture's `[width, height]` in pixels. Text in front of the first
/// box is no object; everything else that does not fit is counted.
pub fn objects(
    tokenizer: &Tokenizer,
    tokens: &ObjectTokens,
    answer: &[u32],
    logprobs: &[f32],
    size: [usize; 2],
) -> Detections {
    let mut found = Detections::default();
    let mut part = Part::default();
    for (&id, &logprob) in answer.iter().zip(logprobs) {
        match tokens.special_token(id) {
            SpecialToken::Location(bin) => {
                if !part.codes.is_empty() || !part.label.is_empty() {
                    take(&mut found, tokenizer, std::mem::take(&mut part), size);
                }
                part.edges.push(bin);
                part.logprobs += logprob;
            }
            SpecialToken::Segment(code) => {
                if !part.label.is_empty() {
                    take(&mut found, tokenizer, std::mem::take(&mut part), size);
                }
                part.codes.push(code);
            }
            SpecialToken::Text => part.label.push(id),
        }
    }
    take(&mut found, tokenizer, part, size);
    found
}

/// Turns the scores of boxes into the chance that they are right, by the log-probability of the four tokens together of
/// a box that is as likely right as wrong.
pub fn calibrate(found: &mut Detections, box_logprob_at_half: f32) {
    for object in &mut found.objects {
        object.score = 1.0 / (1.0 + (box_logprob_at_half - 4.0 * object.score.ln()).exp());
    }
}

/// Adds an object that is whole, or counts it.
fn take(found: &mut Detections, tokenizer: &Tokenizer, part: Part, size: [usize; 2]) {
    if part.edges.is_empty() && part.codes.is_empty() {
        // Words before the first box, or nothing at all.
        return;
    }
    match object(tokenizer, &part, size) {
        Some(object) => found.objects.push(object),
        None => found.dropped += 1,
    }
}

fn object(tokenizer: &Tokenizer, part: &Part, [width, height]: [usize; 2]) -> Option<Detection> {
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
    Some(Detection { label: label.to_owned(), score: (part.logprobs / 4.0).exp(), bounds, codes })
}
