//! The first pass of argmax, eight logits at a time.

use super::simd::{self, Kernel, Simd, launch};
use super::workspace::Workspace;
use crate::cpu::CpuError;
use crate::cpu::call::Call;
use crate::cpu::twins::argmax::{self as twin, bind_partial, each_chunk};

pub(super) fn run_partial(call: &mut Call<'_>, _: &mut Workspace) -> Result<(), CpuError> {
    let (p, logits, partial) = bind_partial(call)?;
    each_chunk(&p, logits, partial, summarise);
    Ok(())
}

/// The same as [`twins::argmax::summarise`](twin::summarise).
pub fn summarise(x: &[f32], first: u32) -> [u32; 4] {
    let mut found = None;
    launch(Summarise { x, first, found: &mut found });
    // Something is not finite, or there are only a few: the plain way.
    found.unwrap_or_else(|| twin::summarise(x, first))
}

struct Summarise<'a> {
    x: &'a [f32],
    first: u32,
    found: &'a mut Option<[u32; 4]>,
}

impl Kernel for Summarise<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let (whole, rest) = self.x.split_at(self.x.len() / 8 * 8);
        if whole.is_empty() {
            return;
        }
        // SAFETY: the caller's machine; vectors of eight.
        unsafe {
            let mut best = S::load(whole.as_ptr());
            let mut wrong = S::splat(0.0);
            for part in whole.chunks_exact(8) {
                let part = S::load(part.as_ptr());
                best = S::max(part, best);
                wrong = S::mul_add(part, S::splat(0.0), wrong);
            }
            let mut lanes = [0.0f32; 8];
            S::store(lanes.as_mut_ptr(), best);
            let largest = lanes.iter().chain(rest).fold(lanes[0], |a, &b| a.max(b));
            let wrong = S::sum(wrong) + rest.iter().map(|x| x * 0.0).sum::<f32>();
            let at = self.x.iter().position(|&x| x == largest);
            let (false, Some(at)) = (wrong.is_nan(), at) else { return };
            let mut sum = S::splat(0.0);
            for part in whole.chunks_exact(8) {
                sum = S::add(sum, simd::exp::<S>(S::sub(S::load(part.as_ptr()), S::splat(largest))));
            }
            let sum = S::sum(sum) + rest.iter().map(|x| (x - largest).exp()).sum::<f32>();
            *self.found = Some([largest.to_bits(), self.first + at as u32, sum.to_bits(), 0]);
        }
    }
}
