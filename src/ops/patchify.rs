use super::{Emitter, Tensor};
use crate::kernels::KernelId;
use crate::kernels::params::PatchifyParams;

/// A picture `[size * size, 3]` as rows of flattened patches.
pub fn patchify(e: &mut Emitter, image: Tensor, size: usize, patch: usize, out: Tensor) {
    let params = PatchifyParams {
        tokens: out.rows as u32,
        image_size: size as u32,
        patch_size: patch as u32,
        grid: (size / patch) as u32,
        width: out.width as u32,
        ..Default::default()
    };
    let grid = [out.width.div_ceil(64) as u32, out.rows as u32, 1];
    e.push(KernelId::Patchify, vec![image.handle, out.handle], &params, grid);
}
