//! `add`: one output element from two inputs.

use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::params::AddParams;

/// `out[t] = a[t] + b[(b_first + t) % b_rows]`.
pub(in crate::cpu) fn run_add(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: AddParams = call.params()?;
    let (tokens, width, b_rows) = (call.tokens(p.tokens), p.width as usize, p.b_rows as usize);
    call.at_most("sums of rows with none", if b_rows == 0 { tokens } else { 0 }, 0)?;
    let a = call.read::<f32>(0, size(&[tokens, width]))?;
    let b = call.read::<f32>(1, size(&[b_rows, width]))?;
    let out = call.write::<f32>(2, size(&[tokens, width]))?;
    let rows = out.chunks_exact_mut(width.max(1)).zip(a.chunks_exact(width.max(1)));
    for (t, (out, a)) in rows.enumerate() {
        let b = &b[(p.b_first as usize % b_rows + t) % b_rows * width..][..width];
        out.iter_mut().zip(a.iter().zip(b)).for_each(|(o, (a, b))| *o = a + b);
    }
    Ok(())
}
