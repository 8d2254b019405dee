use super::{Emitter, Tensor};
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
