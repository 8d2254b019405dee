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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::fast::activate;

    /// Values worked out by hand, `[x, y]`.
    fn known(function: Function) -> [[f32; 2]; 3] {
        match function {
            Function::GeluTanh => [[1.0, 0.841_192], [-2.2, -0.030_426], [3.0, 2.996_363]],
            Function::Softcap(_) => [[0.0, 0.0], [-2.0, -1.523_188], [40.0, 2.0]],
            Function::Relu => [[0.0, 0.0], [-1.0, 0.0], [2.5, 2.5]],
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
