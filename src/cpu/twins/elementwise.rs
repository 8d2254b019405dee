//! `gelu`, `geglu`, `softcap`, `relu`, `add`: one output element from one or two inputs.

use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::params::ElementwiseParams;

/// GELU, tanh form: `0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))`.
pub fn gelu_tanh(x: f32) -> f32 {
    let x = f64::from(x);
    let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x);
    (0.5 * x * (1.0 + inner.tanh())) as f32
}

/// `cap * tanh(x / cap)`.
pub fn soft_cap(x: f32, cap: f32) -> f32 {
    (f64::from(cap) * (f64::from(x) / f64::from(cap)).tanh()) as f32
}

type Map<'a> = (ElementwiseParams, &'a [f32], &'a mut [f32]);

pub(in crate::cpu) fn bind_map<'a>(call: &mut Call<'a>) -> Result<Map<'a>, CpuError> {
    let p: ElementwiseParams = call.params()?;
    let count = size(&[call.tokens(p.tokens), p.width as usize]);
    Ok((p, call.read(0, count)?, call.write(1, count)?))
}

/// `x [T, 2F]` as pairs of gate and up, and `out [T, F]`.
pub(in crate::cpu) fn bind_geglu<'a>(call: &mut Call<'a>) -> Result<(&'a [[f32; 2]], &'a mut [f32]), CpuError> {
    let p: ElementwiseParams = call.params()?;
    let count = size(&[call.tokens(p.tokens), p.width as usize]);
    Ok((call.read(0, count)?, call.write(1, count)?))
}

pub(in crate::cpu) fn run_gelu(call: &mut Call<'_>) -> Result<(), CpuError> {
    let (_, x, out) = bind_map(call)?;
    out.iter_mut().zip(x).for_each(|(o, x)| *o = gelu_tanh(*x));
    Ok(())
}

pub(in crate::cpu) fn run_relu(call: &mut Call<'_>) -> Result<(), CpuError> {
    let (_, x, out) = bind_map(call)?;
    out.iter_mut().zip(x).for_each(|(o, x)| *o = x.max(0.0));
    Ok(())
}

pub(in crate::cpu) fn run_softcap(call: &mut Call<'_>) -> Result<(), CpuError> {
    let (p, x, out) = bind_map(call)?;
    out.iter_mut().zip(x).for_each(|(o, x)| *o = soft_cap(*x, p.softcap));
    Ok(())
}

pub(in crate::cpu) fn run_geglu(call: &mut Call<'_>) -> Result<(), CpuError> {
    let (x, out) = bind_geglu(call)?;
    out.iter_mut().zip(x).for_each(|(o, [gate, up])| *o = gelu_tanh(*gate) * up);
    Ok(())
}

pub(in crate::cpu) fn run_add(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: ElementwiseParams = call.params()?;
    let count = size(&[call.tokens(p.tokens), p.width as usize]);
    let (a, b) = (call.read::<f32>(0, count)?, call.read::<f32>(1, count)?);
    let out = call.write::<f32>(2, count)?;
    out.iter_mut().zip(a.iter().zip(b)).for_each(|(o, (a, b))| *o = a + b);
    Ok(())
}
