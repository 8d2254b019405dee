//! Plain arrays: what the compiler makes of them, on any machine.

use half::f16;

use super::simd::Simd;

/// The backend that needs no particular instructions.
#[derive(Clone, Copy)]
pub struct Portable;

type F = [f32; 8];
type I = [i32; 8];
type H = [i16; 16];

#[inline(always)]
fn each(a: F, b: F, f: impl Fn(f32, f32) -> f32) -> F {
    std::array::from_fn(|i| f(a[i], b[i]))
}

/// `sum + scale * (w . x)`, the level of element `i` given by `level(i)`.
#[inline(always)]
unsafe fn dot(level: impl Fn(usize) -> i32, x: *const i16, scale: f32, sum: F) -> F {
    // SAFETY: the caller's: 32 readable elements.
    let x: [i16; 32] = unsafe { x.cast::<[i16; 32]>().read_unaligned() };
    std::array::from_fn(|lane| {
        let part: i32 = (0..4).map(|n| level(lane + 8 * n) * i32::from(x[lane + 8 * n])).sum();
        sum[lane] + part as f32 * scale
    })
}

// SAFETY (all functions): what the trait asks of its callers.
impl Simd for Portable {
    type F = F;
    type I = I;
    type H = H;
    type Sum = F;
    const TILE: usize = 4;

    #[inline(always)]
    unsafe fn splat(x: f32) -> F {
        [x; 8]
    }
    #[inline(always)]
    unsafe fn load(x: *const f32) -> F {
        unsafe { x.cast::<F>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn load_f16(x: *const u8) -> F {
        let bits: [[u8; 2]; 8] = unsafe { x.cast::<[[u8; 2]; 8]>().read_unaligned() };
        bits.map(|b| f16::from_le_bytes(b).to_f32())
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, x: F) {
        unsafe { to.cast::<F>().write_unaligned(x) }
    }
    #[inline(always)]
    unsafe fn add(a: F, b: F) -> F {
        each(a, b, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(a: F, b: F) -> F {
        each(a, b, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(a: F, b: F) -> F {
        each(a, b, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn div(a: F, b: F) -> F {
        each(a, b, |a, b| a / b)
    }
    #[inline(always)]
    unsafe fn mul_add(a: F, b: F, c: F) -> F {
        std::array::from_fn(|i| a[i] * b[i] + c[i])
    }
    #[inline(always)]
    unsafe fn max(x: F, y: F) -> F {
        each(x, y, |x, y| if x > y { x } else { y })
    }
    #[inline(always)]
    unsafe fn min(x: F, y: F) -> F {
        each(x, y, |x, y| if x < y { x } else { y })
    }
    #[inline(always)]
    unsafe fn sum(x: F) -> f32 {
        ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]))
    }
    #[inline(always)]
    unsafe fn pow2_of_shifted(x: F) -> F {
        x.map(|x| f32::from_bits((x.to_bits() << 23).wrapping_add(1.0f32.to_bits())))
    }
    #[inline(always)]
    unsafe fn zero_i() -> I {
        [0; 8]
    }
    #[inline(always)]
    unsafe fn add_i(a: I, b: I) -> I {
        std::array::from_fn(|i| a[i].wrapping_add(b[i]))
    }
    #[inline(always)]
    unsafe fn to_f(x: I) -> F {
        x.map(|x| x as f32)
    }
    #[inline(always)]
    unsafe fn load_h(x: *const i16) -> H {
        unsafe { x.cast::<H>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn splat_pair(x: *const i16) -> H {
        let pair: [i16; 2] = unsafe { x.cast::<[i16; 2]>().read_unaligned() };
        std::array::from_fn(|i| pair[i % 2])
    }
    #[inline(always)]
    unsafe fn madd(a: H, b: H) -> I {
        std::array::from_fn(|i| {
            i32::from(a[2 * i]) * i32::from(b[2 * i]) + i32::from(a[2 * i + 1]) * i32::from(b[2 * i + 1])
        })
    }
    #[inline(always)]
    unsafe fn zero_sum() -> F {
        [0.0; 8]
    }
    #[inline(always)]
    unsafe fn dot_q8(w: *const u8, x: *const i16, scale: f32, sum: F) -> F {
        unsafe {
            let w: [i8; 32] = w.cast::<[i8; 32]>().read_unaligned();
            dot(|i| i32::from(w[i]), x, scale, sum)
        }
    }
    #[inline(always)]
    unsafe fn dot_q4(w: *const u8, x: *const i16, scale: f32, sum: F) -> F {
        unsafe {
            let w: [u8; 16] = w.cast::<[u8; 16]>().read_unaligned();
            dot(|i| i32::from(if i < 16 { w[i] & 15 } else { w[i - 16] >> 4 }) - 8, x, scale, sum)
        }
    }
    #[inline(always)]
    unsafe fn finish(sum: F) -> f32 {
        unsafe { Self::sum(sum) }
    }
}
