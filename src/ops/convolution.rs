use super::{Bind, Emitter, Operand, Operation, ShapeError, Shapes, Tensor, Value};
use crate::kernels::KernelId;
use crate::kernels::params::{FoldParams, UnfoldParams};

/// Rows of a tensor as pixels of a picture, row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// H.
    pub height: usize,
    /// W.
    pub width: usize,
}

impl Grid {
    /// Pixels in all.
    pub const fn pixels(self) -> usize {
        self.height * self.width
    }
}

/// How patches overlap in a transposed convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoldSpec {
    /// Pixels along one side of a patch.
    pub kernel_size: usize,
    /// Pixels from one patch to the next.
    pub stride: usize,
    /// Pixels cut off along every border.
    pub padding: usize,
}

impl FoldSpec {
    /// The grid that patches of `grid` fold into.
    pub const fn out(self, grid: Grid) -> Grid {
        Grid { height: self.side(grid.height), width: self.side(grid.width) }
    }

    const fn side(self, patches: usize) -> usize {
        ((patches - 1) * self.stride + self.kernel_size).saturating_sub(2 * self.padding)
    }
}

/// The neighbourhood of every pixel of `grid` as one row in channel, y, x order, zeros beyond the border:
/// `[pixels, C]` to `[pixels, C * kernel_size²]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Unfold {
    /// Pixels.
    pub x: Value,
    /// How they lie.
    pub grid: Grid,
    /// Pixels along one side of the neighbourhood; odd.
    pub kernel_size: usize,
}

impl Operation for Unfold {
    fn reads(&self) -> Vec<Operand> {
        vec![self.x.into()]
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeError> {
        shapes.equal("pixels to unfold", shapes.rows(self.x), self.grid.pixels())?;
        let odd = !self.kernel_size.is_multiple_of(2);
        shapes.supported("the side of the neighbourhood", self.kernel_size, odd, "an odd number")?;
        Ok([self.grid.pixels(), shapes.width(self.x) * self.kernel_size * self.kernel_size])
    }

    fn describe(&self) -> String {
        format!("unfold {}", self.kernel_size)
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let x = bind.tensor(self.x);
        unfold(e, x, self.grid, self.kernel_size, out);
    }
}

/// Rows as overlapping patches of a larger picture, summed, plus a bias for each channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Fold {
    /// `[patches, C * kernel_size²]`.
    pub x: Value,
    /// `[C]`.
    pub bias: Value,
    /// How the patches lie.
    pub grid: Grid,
    /// How they overlap.
    pub spec: FoldSpec,
}

impl Operation for Fold {
    fn reads(&self) -> Vec<Operand> {
        vec![self.x.into(), self.bias.into()]
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeError> {
        let channels = shapes.elements(self.bias);
        shapes.equal("patches to fold", shapes.rows(self.x), self.grid.pixels())?;
        let expected = channels * self.spec.kernel_size * self.spec.kernel_size;
        shapes.equal("width of the patches", shapes.width(self.x), expected)?;
        Ok([self.spec.out(self.grid).pixels(), channels])
    }

    fn describe(&self) -> String {
        format!("fold {} stride {}", self.spec.kernel_size, self.spec.stride)
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let (x, bias) = (bind.tensor(self.x), bind.tensor(self.bias));
        fold(e, x, bias, self.grid, self.spec, out);
    }
}

/// The neighbourhood of `kernel_size` by `kernel_size` pixels (odd) of every pixel as one row.
pub fn unfold(e: &mut Emitter, x: Tensor, grid: Grid, kernel_size: usize, out: Tensor) {
    let params = UnfoldParams {
        tokens: out.rows as u32,
        height: grid.height as u32,
        width: grid.width as u32,
        channels: x.width as u32,
        kernel_size: kernel_size as u32,
        ..Default::default()
    };
    let grid = [out.width.div_ceil(64) as u32, out.rows as u32, 1];
    e.push(KernelId::Unfold, vec![x.handle, out.handle], &params, grid);
}

/// Sums overlapping patches, and a bias for each channel.
pub fn fold(e: &mut Emitter, x: Tensor, bias: Tensor, grid: Grid, spec: FoldSpec, out: Tensor) {
    let params = FoldParams {
        tokens: out.rows as u32,
        height: grid.height as u32,
        width: grid.width as u32,
        out_width: spec.out(grid).width as u32,
        channels: out.width as u32,
        kernel_size: spec.kernel_size as u32,
        stride: spec.stride as u32,
        padding: spec.padding as u32,
    };
    let grid = [out.width.div_ceil(64) as u32, out.rows as u32, 1];
    e.push(KernelId::Fold, vec![x.handle, bias.handle, out.handle], &params, grid);
}
