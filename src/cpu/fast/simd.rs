//! The vector operations that the fast kernels are written in, eight f32 lanes at a time.
//!
//! A kernel is one generic function over [`Simd`], inlined whole into a function that is compiled for the backend's
//! instructions; [`launch`] is the one place that chooses a backend.

#[cfg(target_arch = "x86_64")]
use super::avx2::Avx2;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use super::portable::Portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use super::wasm::Wasm128;

/// One set of vector instructions.
///
/// # Safety
/// Every function may only run on a machine that has the instructions. Pointers must be readable (writable for `store`)
/// for the number of elements that a function names; alignment is never needed.
pub trait Simd: Copy {
    /// 8 f32.
    type F: Copy;
    /// 8 i32.
    type I: Copy;
    /// 16 i16.
    type H: Copy;
    /// Partial sums of one dot product, as many lanes as suit the backend.
    type Sum: Copy;

    /// Rows of the register tile of a matrix product: as many as there are registers for.
    const TILE: usize;

    /// All lanes `x`.
    unsafe fn splat(x: f32) -> Self::F;
    /// 8 elements.
    unsafe fn load(x: *const f32) -> Self::F;
    /// 8 f16 elements, widened.
    unsafe fn load_f16(x: *const u8) -> Self::F;
    /// 8 elements.
    unsafe fn store(to: *mut f32, x: Self::F);
    /// `a + b`.
    unsafe fn add(a: Self::F, b: Self::F) -> Self::F;
    /// `a - b`.
    unsafe fn sub(a: Self::F, b: Self::F) -> Self::F;
    /// `a * b`.
    unsafe fn mul(a: Self::F, b: Self::F) -> Self::F;
    /// `a / b`.
    unsafe fn div(a: Self::F, b: Self::F) -> Self::F;
    /// `a * b + c`, rounded once or twice.
    unsafe fn mul_add(a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// The larger, `y` where one is NaN.
    unsafe fn max(x: Self::F, y: Self::F) -> Self::F;
    /// The smaller, `y` where one is NaN.
    unsafe fn min(x: Self::F, y: Self::F) -> Self::F;
    /// Sum of the lanes.
    unsafe fn sum(x: Self::F) -> f32;
    /// `2^n` where `x` is `1.5 * 2^23 + n`.
    unsafe fn pow2_of_shifted(x: Self::F) -> Self::F;

    /// Zeros.
    unsafe fn zero_i() -> Self::I;
    /// `a + b`.
    unsafe fn add_i(a: Self::I, b: Self::I) -> Self::I;
    /// Nearest f32.
    unsafe fn to_f(x: Self::I) -> Self::F;
    /// 16 elements.
    unsafe fn load_h(x: *const i16) -> Self::H;
    /// The two elements at `x`, eight times over.
    unsafe fn splat_pair(x: *const i16) -> Self::H;
    /// Sums of products of neighbours: lane `i` is `a[2i] b[2i] + a[2i+1] b[2i+1]`.
    unsafe fn madd(a: Self::H, b: Self::H) -> Self::I;

    /// An empty sum.
    unsafe fn zero_sum() -> Self::Sum;
    /// `sum + scale * (w . x)` over one block: 32 int8 and 32 int16.
    unsafe fn dot_q8(w: *const u8, x: *const i16, scale: f32, sum: Self::Sum) -> Self::Sum;
    /// `sum + scale * (w . x)` over one block: 32 4-bit levels and 32 int16.
    unsafe fn dot_q4(w: *const u8, x: *const i16, scale: f32, sum: Self::Sum) -> Self::Sum;
    /// The dot product.
    unsafe fn finish(sum: Self::Sum) -> f32;
}

/// A kernel with its arguments.
pub trait Kernel {
    /// Runs it; implementations are `#[inline(always)]`.
    ///
    /// # Safety
    /// The machine has the backend's instructions.
    unsafe fn run<S: Simd>(self);
}

/// Makes [`launch`] choose the portable backend, so that tests reach it on machines that have a better one.
#[cfg(test)]
pub(in crate::cpu) static PORTABLE_ONLY: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Runs a kernel with the best instructions of this machine.
#[inline]
pub fn launch<K: Kernel>(kernel: K) {
    #[cfg(test)]
    if PORTABLE_ONLY.load(std::sync::atomic::Ordering::Relaxed) {
        // SAFETY: the portable backend needs no particular instructions.
        return unsafe { kernel.run::<Portable>() };
    }
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    // SAFETY: the module was compiled for simd128; a browser without it refuses the module.
    unsafe {
        kernel.run::<Wasm128>();
    }
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("fma")
        && std::arch::is_x86_feature_detected!("f16c")
    {
        // SAFETY: the three features that the function is compiled for were just found.
        return unsafe { launch_avx2(kernel) };
    }
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    // SAFETY: the portable backend needs no particular instructions.
    unsafe {
        kernel.run::<Portable>();
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn launch_avx2<K: Kernel>(kernel: K) {
    // SAFETY: this function's own features are those of the backend.
    unsafe { kernel.run::<Avx2>() }
}

/// `exp(x)` within 2 units of the last place; 1.2e-38 at and below -87.3, 1.6e38 at and above 88; NaN stays NaN.
#[inline(always)]
pub unsafe fn exp<S: Simd>(x: S::F) -> S::F {
    const SHIFT: f32 = 12_582_912.0;
    // SAFETY: as the caller's; no pointers.
    unsafe {
        let x = S::min(S::splat(88.0), S::max(S::splat(-87.3), x));
        let shifted = S::mul_add(x, S::splat(std::f32::consts::LOG2_E), S::splat(SHIFT));
        let n = S::sub(shifted, S::splat(SHIFT));
        // ln 2 in two parts, the first exact in products with n.
        let r = S::mul_add(n, S::splat(-0.693_359_4), x);
        let r = S::mul_add(n, S::splat(2.121_944_4e-4), r);
        let mut p = S::splat(1.0 / 720.0);
        for c in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
            p = S::mul_add(p, r, S::splat(c));
        }
        S::mul(p, S::pow2_of_shifted(shifted))
    }
}

/// `tanh(x)`, within 2e-7.
#[inline(always)]
pub unsafe fn tanh<S: Simd>(x: S::F) -> S::F {
    // SAFETY: as the caller's; no pointers.
    unsafe {
        let one = S::splat(1.0);
        let e = exp::<S>(S::add(x, x));
        S::sub(one, S::div(S::splat(2.0), S::add(e, one)))
    }
}
