//! `patchify`: the pixels of every patch as one row.

use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::params::PatchifyParams;

/// `out[p, (c*patch + y)*patch + x] = image[gy*patch + y, gx*patch + x, c]` with `p = gy*columns + gx`, picture by
/// picture; zeros in the padding.
pub(in crate::cpu) fn run(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: PatchifyParams = call.params()?;
    let (rows, columns) = (p.grid_rows as usize, p.grid_columns as usize);
    let (height, width) = (p.image_height as usize, p.image_width as usize);
    let (patch, elements) = (p.patch_size as usize, p.width as usize);
    let (tokens, patches) = (call.tokens(p.tokens), size(&[rows, columns]));
    call.at_most("rows of a grid without a patch", if patches == 0 { tokens } else { 0 }, 0)?;
    call.at_most("pixels from top to bottom of the grid", size(&[rows, patch]), height)?;
    call.at_most("pixels from left to right of the grid", size(&[columns, patch]), width)?;
    call.at_most("elements of a patch", size(&[3, patch, patch]), elements)?;
    let image = call.read::<f32>(0, size(&[tokens.div_ceil(patches.max(1)), height, width, 3]))?;
    let out = call.write::<f32>(1, size(&[tokens, elements]))?;
    for (token, out) in out.chunks_exact_mut(elements.max(1)).enumerate() {
        let (picture, place) = (token / patches, token % patches);
        let (top, left) = (picture * height + place / columns * patch, place % columns * patch);
        out.fill(0.0);
        for c in 0..3 {
            for y in 0..patch {
                for x in 0..patch {
                    out[(c * patch + y) * patch + x] = image[((top + y) * width + left + x) * 3 + c];
                }
            }
        }
    }
    Ok(())
}
