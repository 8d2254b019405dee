//! `unfold`, `fold`: what makes convolutions out of matrix products.

use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::params::{FoldParams, UnfoldParams};

/// `out[y*W + x, (c*n + dy)*n + dx] = x[(y + dy - n/2)*W + x + dx - n/2, c]`, 0 beyond the border.
pub(in crate::cpu) fn run_unfold(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: UnfoldParams = call.params()?;
    let (height, width, channels, n) =
        (p.height as usize, p.width as usize, p.channels as usize, p.kernel_size as usize);
    let tokens = call.tokens(p.tokens);
    call.at_most("rows of unfolded pixels", tokens, size(&[height, width]))?;
    let x = call.read::<f32>(0, size(&[height, width, channels]))?;
    let columns = size(&[channels, n, n]);
    let out = call.write::<f32>(1, size(&[tokens, columns]))?;
    for (at, out) in out.iter_mut().enumerate() {
        let (token, column) = (at / columns, at % columns);
        let (y, dy) = (token / width, column / n % n);
        let (left, dx) = (token % width, column % n);
        let inside = |at: usize, d: usize, end: usize| (at + d).checked_sub(n / 2).filter(|&at| at < end);
        *out = match (inside(y, dy, height), inside(left, dx, width)) {
            (Some(y), Some(left)) => x[(y * width + left) * channels + column / (n * n)],
            _ => 0.0,
        };
    }
    Ok(())
}

/// `out[oy*W' + ox, c] = bias[c] + sum of x[y*W + x, (c*n + dy)*n + dx]` over all with `y*stride + dy = oy + padding`
/// and the same for x.
pub(in crate::cpu) fn run_fold(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: FoldParams = call.params()?;
    let (height, width, out_width) = (p.height as usize, p.width as usize, p.out_width as usize);
    let (channels, n) = (p.channels as usize, p.kernel_size as usize);
    let (stride, padding) = (p.stride as usize, p.padding as usize);
    let tokens = call.tokens(p.tokens);
    let x = call.read::<f32>(0, size(&[height, width, channels, n, n]))?;
    let bias = call.read::<f32>(1, channels)?;
    let out = call.write::<f32>(2, size(&[tokens, channels]))?;
    let mut sums = vec![0.0f64; out.len()];
    for (at, &value) in x.iter().enumerate() {
        let (place, column) = (at / (channels * n * n), at % (channels * n * n));
        let (c, dy, dx) = (column / (n * n), column / n % n, column % n);
        let y = (place / width * stride + dy).checked_sub(padding);
        let left = (place % width * stride + dx).checked_sub(padding).filter(|&left| left < out_width);
        let (Some(y), Some(left)) = (y, left) else { continue };
        if let Some(sum) = sums.get_mut((y * out_width + left) * channels + c) {
            *sum += f64::from(value);
        }
    }
    for (at, out) in out.iter_mut().enumerate() {
        *out = (sums[at] + f64::from(bias[at % channels])) as f32;
    }
    Ok(())
}
