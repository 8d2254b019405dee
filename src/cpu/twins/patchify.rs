//! `patchify`: the pixels of every patch as one row.

use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::params::PatchifyParams;

/// `out[p, (c*patch + y)*patch + x] = image[gy*patch + y, gx*patch + x, c]` with `p = gy*grid + gx`; zeros in the
/// padding.
pub(in crate::cpu) fn run(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: PatchifyParams = call.params()?;
    let (side, patch, grid, width) = (p.image_size as usize, p.patch_size as usize, p.grid as usize, p.width as usize);
    let tokens = call.tokens(p.tokens);
    call.at_most("patches", tokens, size(&[grid, grid]))?;
    call.at_most("pixels along the grid", size(&[grid, patch]), side)?;
    call.at_most("elements of a patch", size(&[3, patch, patch]), width)?;
    let image = call.read::<f32>(0, size(&[side, side, 3]))?;
    let out = call.write::<f32>(1, size(&[tokens, width]))?;
    for (token, out) in out.chunks_exact_mut(width.max(1)).enumerate() {
        let (top, left) = (token / grid * patch, token % grid * patch);
        out.fill(0.0);
        for c in 0..3 {
            for y in 0..patch {
                for x in 0..patch {
                    out[(c * patch + y) * patch + x] = image[((top + y) * side + left + x) * 3 + c];
                }
            }
        }
    }
    Ok(())
}
