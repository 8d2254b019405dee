use super::{Bind, Emitter, Operand, Operation, ShapeError, Shapes, Tensor, Value};
use crate::kernels::KernelId;
use crate::kernels::params::PatchifyParams;

/// Pictures `[B * height * width, 3]` as rows of flattened patches in channel, y, x order: `[B * P, 3 * patch²]`, the
/// width padded to a multiple of 4. Pixels that fill no patch are dropped.
#[derive(Debug, Clone, PartialEq)]
pub struct Patchify {
    /// The pictures, one after the other; B follows from its rows.
    pub image: Value,
    /// Height and width of a picture in pixels.
    pub size: [usize; 2],
    /// Pixels along one side of a patch.
    pub patch: usize,
}

impl Operation for Patchify {
    fn reads(&self) -> Vec<Operand> {
        vec![self.image.into()]
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeError> {
        let Self { size: [height, width], patch, .. } = *self;
        let (pixels, each) = (shapes.rows(self.image), height * width);
        shapes.supported("the shorter side of a picture", height.min(width), each > 0, "at least 1 pixel")?;
        shapes.equal("pixels", pixels, pixels.div_ceil(each).max(1) * each)?;
        shapes.equal("channels", shapes.width(self.image), 3)?;
        let fits = (1..=height.min(width)).contains(&patch);
        shapes.supported("the side of a patch", patch, fits, "1 to the picture's shorter side")?;
        let patches = (height / patch) * (width / patch);
        Ok([pixels / each * patches, (3 * patch * patch).next_multiple_of(4)])
    }

    fn describe(&self) -> String {
        format!("patchify {}", self.patch)
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let image = bind.tensor(self.image);
        patchify(e, image, self.size, self.patch, out);
    }
}

/// Pictures of `[height, width]` pixels as rows of flattened patches.
pub fn patchify(e: &mut Emitter, image: Tensor, [height, width]: [usize; 2], patch: usize, out: Tensor) {
    let params = PatchifyParams {
        tokens: out.rows as u32,
        image_height: height as u32,
        image_width: width as u32,
        patch_size: patch as u32,
        grid_rows: (height / patch) as u32,
        grid_columns: (width / patch) as u32,
        width: out.width as u32,
        ..Default::default()
    };
    let grid = [out.width.div_ceil(64) as u32, out.rows as u32, 1];
    e.push(KernelId::Patchify, vec![image.handle, out.handle], &params, grid);
}
