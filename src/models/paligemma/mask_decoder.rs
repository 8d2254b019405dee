//! The decoder of PaliGemma's segmentation codes: 16 codes of a VQ-VAE to a mask of 64 x 64.
//!
//! Ning et al., "All in Tokens: Unifying Output Space of Visual Tasks via Soft Token" (2023); big_vision publishes its
//! weights as `vae-oid.npz`, whose names and layouts the sources here have.

use crate::graph::{Graph, ShapeError, Source, StateKind, Value};
use crate::models::{Names, states};
use crate::ops::{Activate, Activation, Add, Embed, Fold, FoldSpec, Function, Grid, Linear, Unfold};

/// Codes of a mask.
pub const CODES: usize = 16;
/// Different codes that there are.
pub const CODEBOOK: usize = 128;
/// Pixels along one side of a mask.
pub const SIDE: usize = 64;
/// The tensor that a checkpoint with a mask decoder holds.
pub const CODEBOOK_TENSOR: &str = "mask_decoder._vq_vae._embedding";

const CODE_WIDTH: usize = 512;
const WIDTH: usize = 128;
/// Residual blocks, by their number among the layers.
const BLOCKS: [usize; 2] = [2, 3];
/// Transposed convolutions: number among the layers, channels in and out. Each doubles the side.
const UPSCALES: [(usize, usize, usize); 4] = [(4, 128, 128), (6, 128, 64), (8, 64, 32), (10, 32, 16)];
const LAST: usize = 12;
const UPSCALE: FoldSpec = FoldSpec { kernel_size: 4, stride: 2, padding: 1 };
const PREFIX: &str = "mask_decoder.decoder";

/// State `mask_codes` `[16, 1]` in, a 4 x 4 grid row by row; state `mask` `[64 * 64, 1]` out, about -1 (outside) to 1.
///
/// # Errors
/// None that its numbers, which are fixed, could give.
pub fn mask_decoder() -> Result<Graph, ShapeError> {
    let mut g = Graph::new("mask decoder");
    let ids = g.state(states::MASK_CODES, StateKind::Input, CODES, 1)?;
    let table = g.matrix("mask_decoder.codebook", CODEBOOK, CODE_WIDTH, Source::tensor(CODEBOOK_TENSOR))?;
    let codes = g.push("codes", Embed { ids, table, features: None, scale: 1.0 })?;
    let mut grid = Grid { height: 4, width: 4 };
    let mut x = layer(0).linear(&mut g, codes, WIDTH, CODE_WIDTH)?;
    x = relu(&mut g, &layer(1), x)?;
    for block in BLOCKS {
        let names = layer(block);
        g.mark(names.own());
        let net = |n: usize| names.at(&format!("net.{n}"), &format!("net.{n}"));
        let mut y = convolution(&mut g, &net(0), x, grid)?;
        y = relu(&mut g, &net(1), y)?;
        y = convolution(&mut g, &net(2), y, grid)?;
        y = relu(&mut g, &net(3), y)?;
        y = net(4).linear(&mut g, y, WIDTH, WIDTH)?;
        x = g.push(names.own(), Add { a: x, b: y })?;
    }
    for (number, channels, out) in UPSCALES {
        let names = layer(number);
        g.mark(names.own());
        let rows = out * UPSCALE.kernel_size * UPSCALE.kernel_size;
        let weight = g.matrix(names.own(), rows, channels, Source::Transposed(names.theirs("weight")))?;
        let patches = g.push(names.ours("patches"), Linear::new(x, weight, None))?;
        let bias = names.vector(&mut g, "bias", out)?;
        x = g.push(names.own(), Fold { x: patches, bias, grid, spec: UPSCALE })?;
        x = relu(&mut g, &layer(number + 1), x)?;
        grid = UPSCALE.out(grid);
    }
    let mask = layer(LAST).linear(&mut g, x, 1, UPSCALES[3].2)?;
    g.store(mask, states::MASK, StateKind::Output)?;
    Ok(g)
}

/// A layer, which has the same name in the runtime as in a checkpoint.
fn layer(number: usize) -> Names {
    let name = format!("{PREFIX}.{number}");
    Names::new(name.clone(), name)
}

/// A convolution of 3 x 3 pixels that keeps the size.
fn convolution(g: &mut Graph, names: &Names, x: Value, grid: Grid) -> Result<Value, ShapeError> {
    let unfolded = g.push(names.ours("unfold"), Unfold { x, grid, kernel_size: 3 })?;
    names.linear(g, unfolded, WIDTH, 9 * WIDTH)
}

fn relu(g: &mut Graph, names: &Names, x: Value) -> Result<Value, ShapeError> {
    g.push(names.own(), Activate { x, activation: Activation::Map(Function::Relu) })
}
