//! AVX2 with FMA and F16C.

use std::arch::x86_64::*;

use super::simd::Simd;

/// The backend for x86-64 with AVX2, FMA and F16C.
#[derive(Clone, Copy)]
pub struct Avx2;

/// Signed levels of 16 bytes' low and high nibbles.
#[inline(always)]
unsafe fn nibbles(w: *const u8) -> (__m256i, __m256i) {
    // SAFETY: the caller's: 16 readable bytes.
    unsafe {
        let bytes = _mm_loadu_si128(w.cast());
        let (mask, eight) = (_mm_set1_epi8(15), _mm_set1_epi8(8));
        let low = _mm_sub_epi8(_mm_and_si128(bytes, mask), eight);
        let high = _mm_sub_epi8(_mm_and_si128(_mm_srli_epi16::<4>(bytes), mask), eight);
        (_mm256_cvtepi8_epi16(low), _mm256_cvtepi8_epi16(high))
    }
}

/// `sum + scale * (low . x[..16] + high . x[16..])`.
#[inline(always)]
unsafe fn dot(low: __m256i, high: __m256i, x: *const i16, scale: f32, sum: __m256) -> __m256 {
    // SAFETY: the caller's: 32 readable elements.
    unsafe {
        let a = _mm256_madd_epi16(low, _mm256_loadu_si256(x.cast()));
        let b = _mm256_madd_epi16(high, _mm256_loadu_si256(x.add(16).cast()));
        _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_add_epi32(a, b)), _mm256_set1_ps(scale), sum)
    }
}

// SAFETY (all functions): what the trait asks of its callers.
impl Simd for Avx2 {
    type F = __m256;
    type I = __m256i;
    type H = __m256i;
    type Sum = __m256;
    const TILE: usize = 6;

    #[inline(always)]
    unsafe fn splat(x: f32) -> __m256 {
        unsafe { _mm256_set1_ps(x) }
    }
    #[inline(always)]
    unsafe fn load(x: *const f32) -> __m256 {
        unsafe { _mm256_loadu_ps(x) }
    }
    #[inline(always)]
    unsafe fn load_f16(x: *const u8) -> __m256 {
        unsafe { _mm256_cvtph_ps(_mm_loadu_si128(x.cast())) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, x: __m256) {
        unsafe { _mm256_storeu_ps(to, x) }
    }
    #[inline(always)]
    unsafe fn add(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_add_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn sub(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_sub_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn mul(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_mul_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn div(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_div_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn mul_add(a: __m256, b: __m256, c: __m256) -> __m256 {
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    unsafe fn max(x: __m256, y: __m256) -> __m256 {
        unsafe { _mm256_max_ps(x, y) }
    }
    #[inline(always)]
    unsafe fn min(x: __m256, y: __m256) -> __m256 {
        unsafe { _mm256_min_ps(x, y) }
    }
    #[inline(always)]
    unsafe fn sum(x: __m256) -> f32 {
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }
    #[inline(always)]
    unsafe fn pow2_of_shifted(x: __m256) -> __m256 {
        unsafe {
            let exponent = _mm256_slli_epi32::<23>(_mm256_castps_si256(x));
            _mm256_castsi256_ps(_mm256_add_epi32(exponent, _mm256_castps_si256(_mm256_set1_ps(1.0))))
        }
    }
    #[inline(always)]
    unsafe fn zero_i() -> __m256i {
        unsafe { _mm256_setzero_si256() }
    }
    #[inline(always)]
    unsafe fn add_i(a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_add_epi32(a, b) }
    }
    #[inline(always)]
    unsafe fn to_f(x: __m256i) -> __m256 {
        unsafe { _mm256_cvtepi32_ps(x) }
    }
    #[inline(always)]
    unsafe fn load_h(x: *const i16) -> __m256i {
        unsafe { _mm256_loadu_si256(x.cast()) }
    }
    #[inline(always)]
    unsafe fn splat_pair(x: *const i16) -> __m256i {
        unsafe { _mm256_set1_epi32(x.cast::<i32>().read_unaligned()) }
    }
    #[inline(always)]
    unsafe fn madd(a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_madd_epi16(a, b) }
    }
    #[inline(always)]
    unsafe fn zero_sum() -> __m256 {
        unsafe { _mm256_setzero_ps() }
    }
    #[inline(always)]
    unsafe fn dot_q8(w: *const u8, x: *const i16, scale: f32, sum: __m256) -> __m256 {
        unsafe {
            let low = _mm256_cvtepi8_epi16(_mm_loadu_si128(w.cast()));
            let high = _mm256_cvtepi8_epi16(_mm_loadu_si128(w.add(16).cast()));
            dot(low, high, x, scale, sum)
        }
    }
    #[inline(always)]
    unsafe fn dot_q4(w: *const u8, x: *const i16, scale: f32, sum: __m256) -> __m256 {
        unsafe {
            let (low, high) = nibbles(w);
            dot(low, high, x, scale, sum)
        }
    }
    #[inline(always)]
    unsafe fn finish(sum: __m256) -> f32 {
        unsafe { Self::sum(sum) }
    }
}
