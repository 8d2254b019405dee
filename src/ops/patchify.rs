use super::{Bind, Emitter, Operand, Operation, ShapeError, Shapes, Tensor, Value};
use crate::kernels::KernelId;
use crate::kernels::params::PatchifyParams;

/// A picture `[size * size, 3]` as rows of flattened patches in channel, y, x order: `[(size / patch)², 3 * patch²]`,
/// the width padded to a multiple of 4. Pixels that fill no patch are dropped.
#[derive(Debug, Clone, PartialEq)]
pub struct Patchify {
    /// The picture.
    pub image: Value,
    /// Pixels along one of its sides.
    pub size: usize,
    /// Pixels along one side of a patch.
    pub patch: usize,
}

impl Operation for Patchify {
    fn reads(&self) -> Vec<Operand> {
        vec![self.image.into()]
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeError> {
        let Self { size, patch, .. } = *self;
        shapes.equal("pixels", shapes.rows(self.image), size * size)?;
        shapes.equal("channels", shapes.width(self.image), 3)?;
        shapes.supported("the side of a patch", patch, (1..=size).contains(&patch), "1 to the picture's side")?;
        let grid = size / patch;
        Ok([grid * grid, (3 * patch * patch).next_multiple_of(4)])
    }

    fn describe(&self) -> String {
        format!("patchify {}", self.patch)
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let image = bind.tensor(self.image);
        patchify(e, image, self.size, self.patch, out);
    }
}

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
