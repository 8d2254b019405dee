//! Activations on their own, eight values at a time.

use super::simd::{Kernel, Simd, launch};
use super::workspace::Workspace;
use crate::cpu::call::Call;
use crate::cpu::twins::activate::{Values, bind};
use crate::cpu::{CpuError, activation};
use crate::kernels::Function;

pub(super) fn run(call: &mut Call<'_>, _: &mut Workspace) -> Result<(), CpuError> {
    let (function, values, out) = bind(call)?;
    match values {
        Values::Single(x) => map(function, x, out),
        Values::Pairs(x) => gated(function, x, out),
    }
    Ok(())
}

/// The function of every value.
pub fn map(function: Function, x: &[f32], out: &mut [f32]) {
    launch(Map { function, x, out });
}

/// `function(gate) * up` of every pair.
pub fn gated(function: Function, x: &[[f32; 2]], out: &mut [f32]) {
    launch(Gated { function, x, out });
}

struct Map<'a> {
    function: Function,
    x: &'a [f32],
    out: &'a mut [f32],
}

impl Kernel for Map<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        for (x, out) in self.x.chunks(8).zip(self.out.chunks_mut(8)) {
            let mut lanes = [0.0f32; 8];
            lanes[..x.len()].copy_from_slice(x);
            // SAFETY: the caller's machine; eight lanes.
            unsafe {
                let y = activation::lanes::<S>(self.function, S::load(lanes.as_ptr()));
                S::store(lanes.as_mut_ptr(), y);
            }
            out.copy_from_slice(&lanes[..out.len()]);
        }
    }
}

struct Gated<'a> {
    function: Function,
    x: &'a [[f32; 2]],
    out: &'a mut [f32],
}

impl Kernel for Gated<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        for (x, out) in self.x.chunks(8).zip(self.out.chunks_mut(8)) {
            let (mut gates, mut ups) = ([0.0f32; 8], [0.0f32; 8]);
            x.iter().enumerate().for_each(|(i, pair)| [gates[i], ups[i]] = *pair);
            // SAFETY: the caller's machine; eight lanes.
            unsafe {
                let gates_of = activation::lanes::<S>(self.function, S::load(gates.as_ptr()));
                S::store(gates.as_mut_ptr(), S::mul(gates_of, S::load(ups.as_ptr())));
            }
            out.copy_from_slice(&gates[..out.len()]);
        }
    }
}
