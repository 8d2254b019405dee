//! Masks in the picture's own pixels.

use serde::{Serialize, Serializer};

use crate::image::{Filter, resize_grey};
use crate::models::Bounds;
use crate::models::paligemma::mask_decoder::SIDE;

/// A soft mask over the part of a picture that its box covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Mask {
    /// Pixels left of the mask.
    pub left: usize,
    /// Pixels above the mask.
    pub top: usize,
    /// Pixels from left to right.
    pub width: usize,
    /// Pixels from top to bottom.
    pub height: usize,
    /// How much of each pixel belongs to the thing, row by row: 0 nothing, 255 all.
    #[serde(serialize_with = "as_bytes")]
    #[cfg_attr(test, ts(type = "Uint8Array"))]
    pub alpha: Vec<u8>,
}

/// In one piece, which is how JavaScript takes them.
fn as_bytes<S: Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
    out.serialize_bytes(bytes)
}

/// From this alpha on a pixel counts as inside where there is only in or out.
const INSIDE: u8 = 128;

impl Mask {
    /// Stretches decoded values `[64, 64]` (-1 outside, 1 inside) over a box in a picture of `[width, height]` pixels.
    pub(super) fn paste(values: &[f32], bounds: &Bounds, size: [usize; 2]) -> Self {
        let span = |min: f32, max: f32, side: usize| {
            // A box thinner than a pixel still covers one.
            let first = (min as usize).min(side.saturating_sub(1));
            (first, (max as usize).clamp(first + 1, side.max(first + 1)) - first)
        };
        let (left, width) = span(bounds.xmin, bounds.xmax, size[0]);
        let (top, height) = span(bounds.ymin, bounds.ymax, size[1]);
        let bytes: Vec<u8> = values.iter().map(|v| ((0.5 * v + 0.5).clamp(0.0, 1.0) * 255.0).round() as u8).collect();
        let alpha = resize_grey(&bytes, [SIDE, SIDE], [width, height], Filter::Bilinear);
        Self { left, top, width, height, alpha }
    }

    /// The pixels at least half inside, of the whole picture of `[width, height]` pixels, as a COCO run-length string:
    /// runs down the columns, outside first, each number in groups of 5 bits from `0` on.
    ///
    /// Source of the format: pycocotools, `maskApi.c`.
    pub fn coco_counts(&self, [width, height]: [usize; 2]) -> String {
        let mut runs: Vec<usize> = vec![0];
        for x in 0..width {
            for y in 0..height {
                // Odd runs are inside.
                if self.inside(x, y) != runs.len().is_multiple_of(2) {
                    runs.push(0);
                }
                if let Some(run) = runs.last_mut() {
                    *run += 1;
                }
            }
        }
        let mut text = String::new();
        for (i, &run) in runs.iter().enumerate() {
            // From the fourth on, the difference from the run two before.
            let before = if i > 2 { runs[i - 2] as i64 } else { 0 };
            push_number(run as i64 - before, &mut text);
        }
        text
    }

    /// Whether a pixel of the picture is at least half inside.
    pub fn inside(&self, x: usize, y: usize) -> bool {
        let (Some(x), Some(y)) = (x.checked_sub(self.left), y.checked_sub(self.top)) else { return false };
        x < self.width && y < self.height && self.alpha[y * self.width + x] >= INSIDE
    }
}

fn push_number(mut number: i64, text: &mut String) {
    loop {
        let bits = (number & 0x1f) as u8;
        number >>= 5;
        let last = if bits & 0x10 == 0 { number == 0 } else { number == -1 };
        text.push(char::from(b'0' + if last { bits } else { bits | 0x20 }));
        if last {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mask over a whole picture.
    fn whole(width: usize, rows: &[&[u8]]) -> Mask {
        Mask { left: 0, top: 0, width, height: rows.len(), alpha: rows.concat() }
    }

    #[test]
    fn runs_read_as_pycocotools_writes_them() {
        // Written by pycocotools.mask.encode of the same pixels.
        let ring = whole(4, &[&[0, 255, 255, 0], &[255, 0, 0, 255], &[0, 255, 255, 0]]);
        assert_eq!(ring.coco_counts([4, 3]), "1110010O000");
        let full = whole(3, &[&[255; 3], &[255; 3]]);
        assert_eq!(full.coco_counts([3, 2]), "06");
        let part = Mask { left: 10, top: 20, width: 30, height: 40, alpha: vec![200; 1200] };
        assert_eq!(part.coco_counts([100, 90]), "hl0X1b1000000000000000000000000000000000000000000000000000000000TX5");
    }

    #[test]
    fn a_mask_covers_its_box_in_whole_pixels() {
        let values: Vec<f32> = (0..SIDE * SIDE).map(|at| if at % SIDE < SIDE / 2 { 1.0 } else { -1.0 }).collect();
        let bounds = Bounds { xmin: 10.7, ymin: 5.2, xmax: 30.9, ymax: 25.1 };
        let mask = Mask::paste(&values, &bounds, [40, 26]);
        assert_eq!([mask.left, mask.top, mask.width, mask.height], [10, 5, 20, 20]);
        assert!(mask.inside(12, 10) && !mask.inside(28, 10) && !mask.inside(9, 10) && !mask.inside(12, 25));
        let thin = Bounds { xmin: 39.99, ymin: 25.99, xmax: 40.0, ymax: 26.0 };
        let mask = Mask::paste(&values, &thin, [40, 26]);
        assert_eq!([mask.left, mask.top, mask.width, mask.height], [39, 25, 1, 1]);
    }
}
