//! `add`: one output element from two inputs.

use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::params::AddParams;

pub(in crate::cpu) fn run_add(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: AddParams = call.params()?;
    let count = size(&[call.tokens(p.tokens), p.width as usize]);
    let (a, b) = (call.read::<f32>(0, count)?, call.read::<f32>(1, count)?);
    let out = call.write::<f32>(2, count)?;
    out.iter_mut().zip(a.iter().zip(b)).for_each(|(o, (a, b))| *o = a + b);
    Ok(())
}
