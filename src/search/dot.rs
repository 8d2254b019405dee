//! Products of 8-bit vectors: what a search over an index spends its time with.

/// Vectors are as long as a multiple of this.
pub const LANES: usize = 32;

/// The sum of products of two vectors of one length, a multiple of [`LANES`]. At most 2^16 long, it fits.
#[cfg(not(target_arch = "wasm32"))]
pub fn dot(a: &[i8], b: &[i8]) -> i32 {
    // Plain enough for the compiler to use the vector instructions that there are.
    let products = a
        .chunks_exact(LANES)
        .zip(b.chunks_exact(LANES))
        .map(|(a, b)| a.iter().zip(b).map(|(&a, &b)| i32::from(i16::from(a) * i16::from(b))).sum::<i32>());
    products.sum()
}

/// The sum of products of two vectors of one length, a multiple of [`LANES`]. At most 2^16 long, it fits.
#[cfg(target_arch = "wasm32")]
pub fn dot(a: &[i8], b: &[i8]) -> i32 {
    use core::arch::wasm32::*;
    let mut sums = [i32x4_splat(0); 2];
    for (a, b) in a.chunks_exact(16).zip(b.chunks_exact(16)) {
        // SAFETY: both hold 16 bytes, and a load needs no alignment.
        let (a, b) = unsafe { (v128_load(a.as_ptr().cast()), v128_load(b.as_ptr().cast())) };
        let (low, high) = (
            i32x4_dot_i16x8(i16x8_extend_low_i8x16(a), i16x8_extend_low_i8x16(b)),
            i32x4_dot_i16x8(i16x8_extend_high_i8x16(a), i16x8_extend_high_i8x16(b)),
        );
        sums = [i32x4_add(sums[0], low), i32x4_add(sums[1], high)];
    }
    let sum = i32x4_add(sums[0], sums[1]);
    [
        i32x4_extract_lane::<0>(sum),
        i32x4_extract_lane::<1>(sum),
        i32x4_extract_lane::<2>(sum),
        i32x4_extract_lane::<3>(sum),
    ]
    .iter()
    .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_summed_exactly() {
        let a: Vec<i8> = (0..96).map(|n| (n * 37 % 255 - 127) as i8).collect();
        let b: Vec<i8> = (0..96).map(|n| (n * 91 % 255 - 127) as i8).collect();
        let expected: i32 = a.iter().zip(&b).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
        assert_eq!(dot(&a, &b), expected);
        assert_eq!(dot(&[-127; 64], &[-127; 64]), 64 * 127 * 127);
    }
}
