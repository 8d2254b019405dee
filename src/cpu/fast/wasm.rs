//! WebAssembly simd128: eight lanes are two vectors.

use core::arch::wasm32::*;

use super::simd::Simd;

/// The backend for WebAssembly with simd128.
#[derive(Clone, Copy)]
pub struct Wasm128;

type Two = (v128, v128);

#[inline(always)]
fn both(a: Two, b: Two, f: fn(v128, v128) -> v128) -> Two {
    (f(a.0, b.0), f(a.1, b.1))
}

/// Four sign-extended f16, widened; no value that weights have is infinite.
#[inline(always)]
fn widen_f16(h: v128) -> v128 {
    let bits = v128_and(i32x4_shl(h, 13), u32x4_splat(0x8fff_e000));
    // The exponent is off by 112; a multiplication puts it right for subnormals too.
    f32x4_mul(bits, f32x4_splat(f32::from_bits((127 + 112) << 23)))
}

/// `sum + scale * (w . x)` over 32 elements, `w` as four vectors of 8 int16.
#[inline(always)]
unsafe fn dot(w: [v128; 4], x: *const i16, scale: f32, sum: v128) -> v128 {
    // SAFETY: the caller's: 32 readable elements.
    let x = |n: usize| unsafe { v128_load(x.add(8 * n).cast()) };
    let a = i32x4_dot_i16x8(w[0], x(0));
    let b = i32x4_dot_i16x8(w[1], x(1));
    let c = i32x4_dot_i16x8(w[2], x(2));
    let d = i32x4_dot_i16x8(w[3], x(3));
    let total = i32x4_add(i32x4_add(a, b), i32x4_add(c, d));
    f32x4_add(sum, f32x4_mul(f32x4_convert_i32x4(total), f32x4_splat(scale)))
}

// SAFETY (all functions): what the trait asks of its callers.
impl Simd for Wasm128 {
    type F = Two;
    type I = Two;
    type H = Two;
    type Sum = v128;
    const TILE: usize = 4;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Two {
        (f32x4_splat(x), f32x4_splat(x))
    }
    #[inline(always)]
    unsafe fn load(x: *const f32) -> Two {
        unsafe { (v128_load(x.cast()), v128_load(x.add(4).cast())) }
    }
    #[inline(always)]
    unsafe fn load_f16(x: *const u8) -> Two {
        let h = unsafe { v128_load(x.cast()) };
        (widen_f16(i32x4_extend_low_i16x8(h)), widen_f16(i32x4_extend_high_i16x8(h)))
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, x: Two) {
        unsafe {
            v128_store(to.cast(), x.0);
            v128_store(to.add(4).cast(), x.1);
        }
    }
    #[inline(always)]
    unsafe fn add(a: Two, b: Two) -> Two {
        both(a, b, f32x4_add)
    }
    #[inline(always)]
    unsafe fn sub(a: Two, b: Two) -> Two {
        both(a, b, f32x4_sub)
    }
    #[inline(always)]
    unsafe fn mul(a: Two, b: Two) -> Two {
        both(a, b, f32x4_mul)
    }
    #[inline(always)]
    unsafe fn div(a: Two, b: Two) -> Two {
        both(a, b, f32x4_div)
    }
    #[inline(always)]
    unsafe fn mul_add(a: Two, b: Two, c: Two) -> Two {
        both(both(a, b, f32x4_mul), c, f32x4_add)
    }
    #[inline(always)]
    unsafe fn max(x: Two, y: Two) -> Two {
        both(y, x, f32x4_pmax)
    }
    #[inline(always)]
    unsafe fn min(x: Two, y: Two) -> Two {
        both(y, x, f32x4_pmin)
    }
    #[inline(always)]
    unsafe fn sum(x: Two) -> f32 {
        unsafe { Self::finish(f32x4_add(x.0, x.1)) }
    }
    #[inline(always)]
    unsafe fn pow2_of_shifted(x: Two) -> Two {
        let one = f32x4_splat(1.0);
        (i32x4_add(u32x4_shl(x.0, 23), one), i32x4_add(u32x4_shl(x.1, 23), one))
    }
    #[inline(always)]
    unsafe fn zero_i() -> Two {
        (i32x4_splat(0), i32x4_splat(0))
    }
    #[inline(always)]
    unsafe fn add_i(a: Two, b: Two) -> Two {
        both(a, b, i32x4_add)
    }
    #[inline(always)]
    unsafe fn to_f(x: Two) -> Two {
        (f32x4_convert_i32x4(x.0), f32x4_convert_i32x4(x.1))
    }
    #[inline(always)]
    unsafe fn load_h(x: *const i16) -> Two {
        unsafe { (v128_load(x.cast()), v128_load(x.add(8).cast())) }
    }
    #[inline(always)]
    unsafe fn splat_pair(x: *const i16) -> Two {
        let pair = unsafe { v128_load32_splat(x.cast()) };
        (pair, pair)
    }
    #[inline(always)]
    unsafe fn madd(a: Two, b: Two) -> Two {
        both(a, b, i32x4_dot_i16x8)
    }
    #[inline(always)]
    unsafe fn zero_sum() -> v128 {
        f32x4_splat(0.0)
    }
    #[inline(always)]
    unsafe fn dot_q8(w: *const u8, x: *const i16, scale: f32, sum: v128) -> v128 {
        unsafe {
            let part = |n: usize| i16x8_load_extend_i8x8(w.add(8 * n).cast());
            dot([part(0), part(1), part(2), part(3)], x, scale, sum)
        }
    }
    #[inline(always)]
    unsafe fn dot_q4(w: *const u8, x: *const i16, scale: f32, sum: v128) -> v128 {
        unsafe {
            let bytes = v128_load(w.cast());
            let eight = i8x16_splat(8);
            let low = i8x16_sub(v128_and(bytes, u8x16_splat(15)), eight);
            let high = i8x16_sub(u8x16_shr(bytes, 4), eight);
            let low = [i16x8_extend_low_i8x16(low), i16x8_extend_high_i8x16(low)];
            dot([low[0], low[1], i16x8_extend_low_i8x16(high), i16x8_extend_high_i8x16(high)], x, scale, sum)
        }
    }
    #[inline(always)]
    unsafe fn finish(sum: v128) -> f32 {
        let two = f32x4_add(sum, i64x2_shuffle::<1, 0>(sum, sum));
        f32x4_extract_lane::<0>(two) + f32x4_extract_lane::<1>(two)
    }
}
