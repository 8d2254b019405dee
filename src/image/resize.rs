//! Resizing, byte for byte as Pillow does it: models are trained on its pixels.
//!
//! Source of the method: Pillow, `src/libImaging/Resample.c`: a horizontal pass, then a vertical one, each with
//! weights in 22-bit fixed point, rounded to bytes in between. When shrinking, the filter is widened by the scale.

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

fn taps(from: usize, to: usize, filter: Filter) -> Vec<Taps> {
    let scale = from as f64 / to as f64;
    let widened = scale.max(1.0);
    let support = filter.support() * widened;
    let shrink = 1.0 / widened;
    (0..to)
        .map(|index| {
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
    resample::<1>(bytes, from, to, filter)
}

/// Scales a picture to a width and height in pixels, whatever its own shape.
pub fn resize(picture: &Rgb8, width: usize, height: usize, filter: Filter) -> Rgb8 {
    let from = [picture.width(), picture.height()];
    Rgb8::trusted(width, height, resample::<3>(picture.data(), from, [width, height], filter))
}

fn resample<const CHANNELS: usize>(bytes: &[u8], from: [usize; 2], to: [usize; 2], filter: Filter) -> Vec<u8> {
    let ([from_width, from_height], [width, height]) = (from, to);
    let wide = if width == from_width {
        bytes.to_vec()
    } else {
        let taps = taps(from_width, width, filter);
        let mut out = Vec::with_capacity(from_height * width * CHANNELS);
        for line in bytes.chunks_exact(from_width * CHANNELS) {
            for Taps { first, weights } in &taps {
                out.extend((0..CHANNELS).map(|channel| blend(line, first * CHANNELS + channel, CHANNELS, weights)));
            }
        }
        out
    };
    if height == from_height {
        return wide;
    }
    let row = width * CHANNELS;
    let mut out = Vec::with_capacity(height * row);
    for Taps { first, weights } in taps(from_height, height, filter) {
        out.extend((0..row).map(|column| blend(&wide, first * row + column, row, &weights)));
    }
    out
}
