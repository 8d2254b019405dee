//! The unfused activations, eight elements at a time.

use super::simd::{self, Kernel, Simd, launch};
use super::workspace::Workspace;
use crate::cpu::CpuError;
use crate::cpu::call::Call;
use crate::cpu::twins::elementwise::{bind_geglu, bind_map};

pub(super) fn run_gelu(call: &mut Call<'_>, _: &mut Workspace) -> Result<(), CpuError> {
    let (_, x, out) = bind_map(call)?;
    gelu(x, out);
    Ok(())
}

pub(super) fn run_geglu(call: &mut Call<'_>, _: &mut Workspace) -> Result<(), CpuError> {
    let (x, out) = bind_geglu(call)?;
    geglu(x, out);
    Ok(())
}

pub(super) fn run_softcap(call: &mut Call<'_>, _: &mut Workspace) -> Result<(), CpuError> {
    let (p, x, out) = bind_map(call)?;
    softcap(x, p.softcap, out);
    Ok(())
}

/// GELU, tanh form, of every element.
pub fn gelu(x: &[f32], out: &mut [f32]) {
    launch(Map { x, out, cap: None });
}

/// `cap * tanh(x / cap)` of every element.
pub fn softcap(x: &[f32], cap: f32, out: &mut [f32]) {
    launch(Map { x, out, cap: Some(cap) });
}

/// `gelu(gate) * up` of every pair.
pub fn geglu(x: &[[f32; 2]], out: &mut [f32]) {
    launch(Pairs { x, out });
}

struct Map<'a> {
    x: &'a [f32],
    out: &'a mut [f32],
    cap: Option<f32>,
}

impl Kernel for Map<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        for (x, out) in self.x.chunks(8).zip(self.out.chunks_mut(8)) {
            let mut lanes = [0.0f32; 8];
            lanes[..x.len()].copy_from_slice(x);
            // SAFETY: the caller's machine; eight lanes.
            unsafe {
                let x = S::load(lanes.as_ptr());
                let y = match self.cap {
                    None => simd::gelu::<S>(x),
                    Some(cap) => S::mul(simd::tanh::<S>(S::div(x, S::splat(cap))), S::splat(cap)),
                };
                S::store(lanes.as_mut_ptr(), y);
            }
            out.copy_from_slice(&lanes[..out.len()]);
        }
    }
}

struct Pairs<'a> {
    x: &'a [[f32; 2]],
    out: &'a mut [f32],
}

impl Kernel for Pairs<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        for (x, out) in self.x.chunks(8).zip(self.out.chunks_mut(8)) {
            let (mut gates, mut ups) = ([0.0f32; 8], [0.0f32; 8]);
            x.iter().enumerate().for_each(|(i, pair)| [gates[i], ups[i]] = *pair);
            // SAFETY: the caller's machine; eight lanes.
            unsafe {
                let y = S::mul(simd::gelu::<S>(S::load(gates.as_ptr())), S::load(ups.as_ptr()));
                S::store(gates.as_mut_ptr(), y);
            }
            out.copy_from_slice(&gates[..out.len()]);
        }
    }
}
