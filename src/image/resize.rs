//! Resizing, byte for byte as Pillow does it: models are trained on its pixels.
//!
//! Source of the method: Pillow, `src/libImaging/Resample.c`: a horizontal pass and a vertical one, each with weights in
//! 22-bit fixed point, rounded to bytes in between. When shrinking, the filter is widened by the scale. Which pass comes
//! first shows in the rounding; the rule for that was told from Pillow 13.0.0's results.

use std::borrow::Cow;
use std::ops::Range;

use super::Rgb8;

/// How pixels between pixels are made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// Straight lines.
    Bilinear,
    /// Cubic curves with a = -0.5.
    Bicubic,
}

impl Filter {
    /// Half the width of the curve, in pixels of the coarser picture.
    fn support(self) -> f64 {
        match self {
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
        }
    }

    fn weight(self, at: f64) -> f64 {
        const A: f64 = -0.5;
        let x = at.abs();
        match self {
            Self::Bilinear if x < 1.0 => 1.0 - x,
            Self::Bicubic if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
            Self::Bilinear | Self::Bicubic => 0.0,
        }
    }
}

/// Fraction bits of a weight: 8 are needed for the byte, 2 for weights beyond 1 and the sign.
const BITS: u32 = 32 - 8 - 2;

/// The weights of the input pixels that make one output pixel.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

/// Those of the output pixels `part` of `to`.
fn taps(from: usize, to: usize, part: Range<usize>, filter: Filter) -> Vec<Taps> {
    let scale = from as f64 / to as f64;
    let widened = scale.max(1.0);
    let support = filter.support() * widened;
    let shrink = 1.0 / widened;
    part.map(|index| {
        let center = (index as f64 + 0.5) * scale;
        // Casts cut towards zero, negative numbers to 0, as Pillow's do after its clamp.
        let first = (center - support + 0.5) as usize;
        let end = ((center + support + 0.5) as usize).min(from);
        let weights: Vec<f64> =
            (first..end).map(|pixel| filter.weight((pixel as f64 - center + 0.5) * shrink)).collect();
        let sum: f64 = weights.iter().sum();
        let fixed = |weight: f64| {
            let part = weight / sum * f64::from(1 << BITS);
            (if part < 0.0 { part - 0.5 } else { part + 0.5 }) as i32
        };
        Taps { first, weights: weights.into_iter().map(fixed).collect() }
    })
    .collect()
}

/// One output byte: the weighted sum of every `stride`-th byte from `start`.
fn blend(bytes: &[u8], start: usize, stride: usize, weights: &[i32]) -> u8 {
    let half = 1 << (BITS - 1);
    let pixels = bytes[start..].iter().step_by(stride);
    let sum = pixels.zip(weights).fold(half, |sum: i32, (&byte, &weight)| sum + i32::from(byte) * weight);
    (sum >> BITS).clamp(0, 255) as u8
}

/// Scales one channel of `from` width and height to `to`.
pub fn resize_grey(bytes: &[u8], from: [usize; 2], to: [usize; 2], filter: Filter) -> Vec<u8> {
    resample::<1>(bytes, from, to, to.map(|side| 0..side), filter)
}

/// Scales a picture to a width and height in pixels, whatever its own shape.
pub fn resize(picture: &Rgb8, width: usize, height: usize, filter: Filter) -> Rgb8 {
    resize_part(picture, [width, height], [0..width, 0..height], filter)
}

/// Scales a picture to `[width, height]` and keeps the columns and rows of `part`: the others are not computed.
pub fn resize_part(picture: &Rgb8, to: [usize; 2], part: [Range<usize>; 2], filter: Filter) -> Rgb8 {
    let (from, [width, height]) = ([picture.width(), picture.height()], [part[0].len(), part[1].len()]);
    Rgb8::trusted(width, height, resample::<3>(picture.data(), from, to, part, filter))
}

fn resample<const CHANNELS: usize>(
    bytes: &[u8],
    from: [usize; 2],
    to: [usize; 2],
    [columns, rows]: [Range<usize>; 2],
    filter: Filter,
) -> Vec<u8> {
    let (width, [to_width, to_height]) = (columns.len(), to);
    let columns = (from[0] != to_width || width != to_width).then(|| taps(from[0], to_width, columns, filter));
    let rows = (from[1] != to_height || rows.len() != to_height).then(|| taps(from[1], to_height, rows, filter));
    let (mut bytes, mut wide) = (Cow::from(bytes), from[0]);
    // Pillow takes the rows first where they become fewer by more than twice as many as the columns.
    let rows_first = from[1].saturating_sub(to_height) > 2 * from[0].saturating_sub(to_width);
    for of_rows in [rows_first, !rows_first] {
        bytes = match (of_rows, &rows, &columns) {
            (true, Some(rows), _) => scale_rows(&bytes, wide * CHANNELS, rows).into(),
            (false, _, Some(columns)) => {
                let scaled = scale_columns::<CHANNELS>(&bytes, wide, columns);
                wide = width;
                scaled.into()
            }
            // A side that stays as it is.
            _ => bytes,
        };
    }
    bytes.into_owned()
}

fn scale_columns<const CHANNELS: usize>(bytes: &[u8], from: usize, columns: &[Taps]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() / from * columns.len());
    for line in bytes.chunks_exact(from * CHANNELS) {
        for Taps { first, weights } in columns {
            out.extend((0..CHANNELS).map(|channel| blend(line, first * CHANNELS + channel, CHANNELS, weights)));
        }
    }
    out
}

/// `row` is the bytes of one.
fn scale_rows(bytes: &[u8], row: usize, rows: &[Taps]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len() * row);
    for Taps { first, weights } in rows {
        out.extend((0..row).map(|column| blend(bytes, first * row + column, row, weights)));
    }
    out
}
