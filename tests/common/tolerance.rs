//! The one table of how far results may be apart, for kernels and for models.
#![allow(dead_code, reason = "each test program uses its part of the table")]

/// A bound on the error of each element: `absolute + rms * of_rms + |expected| * of_value`, where `rms` is of the whole
/// tensor, because sums lose bits in proportion to their terms, not to their result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    pub absolute: f32,
    pub of_rms: f32,
    pub of_value: f32,
}

impl Tolerance {
    pub fn allows(self, found: f32, expected: f32, rms: f32) -> bool {
        let error = (found - expected).abs();
        found.to_bits() == expected.to_bits()
            || error <= self.absolute + rms * self.of_rms + expected.abs() * self.of_value
    }
}

/// Bits are moved, not computed with.
pub const EXACT: Tolerance = Tolerance { absolute: 0.0, of_rms: 0.0, of_value: 0.0 };
/// One product or sum, rounded once more or less.
pub const ROUNDED: Tolerance = Tolerance { absolute: 0.0, of_rms: 0.0, of_value: 1e-6 };
/// Sums in f32 in another order.
pub const SUMMED: Tolerance = Tolerance { absolute: 0.0, of_rms: 2e-6, of_value: 5e-6 };
/// Through exp, tanh, sin or cos, which devices compute to few units in the last place of their range. Absolute, too,
/// because the tail of GELU is a small difference of ones.
pub const CURVED: Tolerance = Tolerance { absolute: 1e-6, of_rms: 2e-5, of_value: 2e-5 };
/// Turned by angles that are computed to the last bits of a turn.
pub const ROTATED: Tolerance = Tolerance { absolute: 0.0, of_rms: 1e-5, of_value: 0.0 };
/// Turned by angles of thousands of radians, whose product of position and frequency has no more bits in f32.
pub const ROTATED_FAR: Tolerance = Tolerance { absolute: 0.0, of_rms: 1e-3, of_value: 0.0 };

/// How far the logits of a model may be from the reference, as a share of its standard deviation.
pub mod logits {
    /// f32 weights against the reference.
    pub const F32: f32 = 1e-3;
    /// Values inside a pass and logits of a pass on its own, f32 weights against the reference.
    pub const INSIDE: f32 = 1e-4;
    /// f16 weights against the reference.
    pub const F16: f32 = 1e-2;
    /// q8 and q4 weights against the f32 path on the dequantised weights.
    pub const QUANTISED: f32 = 2e-3;
    /// The same where a kernel quantises activations too.
    pub const QUANTISED_ACTIVATIONS: f32 = 2e-2;
    /// Greedy tokens must agree until the reference's two best logits are closer than this.
    pub const MARGIN: f32 = 1e-2;
}
