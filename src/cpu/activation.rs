//! Every activation function twice: plain, in f64, for the twins, and eight values at a time for the fast kernels.

use super::fast::simd::{self, Simd};
use crate::kernels::Function;

/// The plain form.
pub fn plain(function: Function, x: f32) -> f32 {
    let y = f64::from(x);
    let y = match function {
        Function::GeluTanh => gelu_tanh(y),
        Function::Softcap(cap) => softcap(y, f64::from(cap)),
        Function::Relu => relu(y),
        Function::GeluErf => gelu_erf(y),
        Function::Silu => silu(y),
    };
    y as f32
}

/// The form of the fast kernels.
#[inline(always)]
pub(super) unsafe fn lanes<S: Simd>(function: Function, x: S::F) -> S::F {
    // SAFETY: the caller's machine.
    unsafe {
        match function {
            Function::GeluTanh => gelu_tanh_lanes::<S>(x),
            Function::Softcap(cap) => softcap_lanes::<S>(x, cap),
            Function::Relu => relu_lanes::<S>(x),
            Function::GeluErf => gelu_erf_lanes::<S>(x),
            Function::Silu => silu_lanes::<S>(x),
        }
    }
}

fn gelu_tanh(x: f64) -> f64 {
    let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x);
    0.5 * x * (1.0 + inner.tanh())
}

/// `x / (1 + exp(-2 u))`, `u = sqrt(2/pi) (x + 0.044715 x^3)`.
#[inline(always)]
unsafe fn gelu_tanh_lanes<S: Simd>(x: S::F) -> S::F {
    // SAFETY: as the caller's; no pointers.
    unsafe {
        let cubic = S::mul_add(S::mul(x, x), S::splat(-2.0 * 0.797_884_6 * 0.044_715), S::splat(-2.0 * 0.797_884_6));
        let e = simd::exp::<S>(S::mul(cubic, x));
        S::div(x, S::add(S::splat(1.0), e))
    }
}

fn softcap(x: f64, cap: f64) -> f64 {
    cap * (x / cap).tanh()
}

/// `cap * tanh(x / cap)`.
#[inline(always)]
pub(super) unsafe fn softcap_lanes<S: Simd>(x: S::F, cap: f32) -> S::F {
    // SAFETY: as the caller's; no pointers.
    unsafe { S::mul(simd::tanh::<S>(S::div(x, S::splat(cap))), S::splat(cap)) }
}

/// What is no number stays none.
fn relu(x: f64) -> f64 {
    if x < 0.0 { 0.0 } else { x }
}

#[inline(always)]
unsafe fn relu_lanes<S: Simd>(x: S::F) -> S::F {
    // SAFETY: as the caller's; no pointers.
    unsafe { S::max(S::splat(0.0), x) }
}

fn gelu_erf(x: f64) -> f64 {
    0.5 * x * erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// `1 - erf(x)`, to the last digits of f64: the series of erf near 0, the continued fraction of erfc farther out.
fn erfc(x: f64) -> f64 {
    let factor = (-x * x).exp() / std::f64::consts::PI.sqrt();
    if x < 0.0 {
        return 2.0 - erfc(-x);
    }
    if x < 2.5 {
        let mut term = 2.0 * x * factor;
        let mut erf = 0.0;
        for n in 1..80 {
            erf += term;
            term *= 2.0 * x * x / f64::from(2 * n + 1);
        }
        return 1.0 - erf;
    }
    let fraction = (1..80).rev().fold(x, |below, n| x + 0.5 * f64::from(n) / below);
    factor / fraction
}

/// `max(x, 0) - |x| / 2 * erfc(|x| / sqrt(2))` by the polynomial of `shaders/lib/activation.wgsl`.
#[inline(always)]
unsafe fn gelu_erf_lanes<S: Simd>(x: S::F) -> S::F {
    const POLYNOMIAL: [f32; 7] = [
        2.729_455_8e-5,
        -1.290_504_3e-4,
        -9.491_678e-5,
        4.895_989_3e-3,
        -3.638_757_8e-2,
        -3.182_988_8e-1,
        -7.978_853e-1,
    ];
    // SAFETY: as the caller's; no pointers.
    unsafe {
        let zero = S::splat(0.0);
        let a = S::min(S::splat(6.5), S::max(S::sub(zero, x), x));
        let p = POLYNOMIAL.iter().fold(S::splat(-1.965_013_5e-6), |p, &c| S::mul_add(p, a, S::splat(c)));
        let tail = S::mul(S::mul(a, S::splat(0.5)), simd::exp::<S>(S::mul(p, a)));
        S::sub(S::max(zero, x), tail)
    }
}

fn silu(x: f64) -> f64 {
    x / (1.0 + (-x).exp())
}

/// Below -80 it is 0 to the last bit.
#[inline(always)]
unsafe fn silu_lanes<S: Simd>(x: S::F) -> S::F {
    // SAFETY: as the caller's; no pointers.
    unsafe {
        let bounded = S::max(S::splat(-80.0), x);
        let e = simd::exp::<S>(S::sub(S::splat(0.0), bounded));
        S::div(bounded, S::add(S::splat(1.0), e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::fast::activate;

    /// Values worked out by hand, `[x, y]`.
    fn known(function: Function) -> [[f32; 2]; 3] {
        match function {
            Function::GeluTanh => [[1.0, 0.841_192], [-2.2, -0.030_321_5], [3.0, 2.996_363]],
            Function::Softcap(_) => [[0.0, 0.0], [-2.0, -1.523_188], [40.0, 2.0]],
            Function::Relu => [[0.0, 0.0], [-1.0, 0.0], [2.5, 2.5]],
            Function::GeluErf => [[1.0, 0.841_344_7], [-2.2, -0.030_587_6], [3.0, 2.995_950_3]],
            Function::Silu => [[1.0, 0.731_058_6], [-2.2, -0.219_451_1], [3.0, 2.857_722_4]],
        }
    }

    /// `erfc` of 0, 1 and 3, to 16 digits.
    #[test]
    fn erfc_is_exact() {
        for (x, y) in [(0.0, 1.0), (1.0, 0.157_299_207_050_285_1), (3.0, 2.209_049_699_858_544e-5)] {
            assert!((erfc(x) - y).abs() < 1e-15 && (erfc(-x) + y - 2.0).abs() < 1e-15, "{x}: {}", erfc(x));
        }
    }

    /// The fast form takes erf to 2e-7, as `|x| / 2` times it shows.
    #[test]
    fn fast_gelu_takes_erf_to_2e_7() {
        let x: Vec<f32> = (-7_000..7_000).map(|i| i as f32 * 1e-3).collect();
        let mut fast = vec![0.0; x.len()];
        activate::map(Function::GeluErf, &x, &mut fast);
        for (x, fast) in x.into_iter().zip(fast) {
            let (x, fast) = (f64::from(x), f64::from(fast));
            // What comes out is an f32.
            let rounding = f64::from(f32::EPSILON) * x.abs();
            assert!((fast - gelu_erf(x)).abs() <= 0.5 * x.abs() * 2e-7 + rounding, "{x}: {fast}");
        }
    }

    #[test]
    fn both_forms_give_what_is_known() {
        for function in Function::all(2.0) {
            for [x, y] in known(function) {
                let mut fast = [0.0];
                activate::map(function, &[x], &mut fast);
                for found in [plain(function, x), fast[0]] {
                    assert!((found - y).abs() < 2e-6, "{function:?} of {x} is {found}, expected {y}");
                }
            }
        }
    }
}
