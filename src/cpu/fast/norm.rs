//! Norms, eight elements at a time.

use super::simd::{Kernel, Simd, launch};
use super::workspace::Workspace;
use crate::cpu::CpuError;
use crate::cpu::call::Call;
use crate::cpu::twins::norm::{Norm, bind_layer_norm, bind_rms_norm};

pub(super) fn run_layer_norm(call: &mut Call<'_>, _: &mut Workspace) -> Result<(), CpuError> {
    let mut gathered = Vec::new();
    let (op, out) = bind_layer_norm(call, &mut gathered)?;
    norm(&op, out);
    Ok(())
}

pub(super) fn run_rms_norm(call: &mut Call<'_>, _: &mut Workspace) -> Result<(), CpuError> {
    let mut gathered = Vec::new();
    let (op, out) = bind_rms_norm(call, &mut gathered)?;
    norm(&op, out);
    Ok(())
}

/// The same as [`Norm::apply`].
pub fn norm(op: &Norm<'_>, out: &mut [f32]) {
    if op.width.is_multiple_of(4) {
        launch(Rows { op, out });
    } else {
        op.apply(out);
    }
}

struct Rows<'a, 'b> {
    op: &'a Norm<'a>,
    out: &'b mut [f32],
}

/// Sum of `f` of every element.
#[inline(always)]
unsafe fn sum<S: Simd>(x: &[f32], f: impl Fn(S::F) -> S::F, rest: impl Fn(f32) -> f32) -> f32 {
    let whole = x.chunks_exact(8);
    let tail: f32 = whole.remainder().iter().map(|&x| rest(x)).sum();
    // SAFETY: the caller's machine; vectors of eight.
    unsafe {
        let mut total = S::splat(0.0);
        for part in whole {
            total = S::add(total, f(S::load(part.as_ptr())));
        }
        S::sum(total) + tail
    }
}

impl Kernel for Rows<'_, '_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { op, out } = self;
        let width = op.width as f32;
        for (n, out) in out.chunks_exact_mut(op.width.max(1)).enumerate() {
            let x = &op.x[n * op.width..][..op.width];
            // SAFETY: the caller's machine.
            let (centre, scale) = unsafe {
                let centre = if op.bias.is_some() { sum::<S>(x, |x| x, |x| x) / width } else { 0.0 };
                let square = sum::<S>(
                    x,
                    |x| {
                        let d = S::sub(x, S::splat(centre));
                        S::mul(d, d)
                    },
                    |x| (x - centre) * (x - centre),
                );
                (centre, 1.0 / (square / width + op.eps).sqrt())
            };
            // RMSNorm stores what its factor differs from 1 by.
            let shift = if op.bias.is_some() { 0.0 } else { 1.0 };
            for (i, out) in out.iter_mut().enumerate() {
                *out = (x[i] - centre) * scale * (op.weight[i] + shift);
            }
            if let Some(bias) = op.bias {
                out.iter_mut().zip(bias).for_each(|(o, b)| *o += b);
            }
            if let Some(residual) = op.residual {
                out.iter_mut().zip(&residual[n * op.width..]).for_each(|(o, r)| *o += r);
            }
        }
    }
}
