//! The decoder of PaliGemma's segmentation codes: 16 codes of a VQ-VAE to a mask of 64 x 64.
//!
//! Ning et al., "All in Tokens: Unifying Output Space of Visual Tasks via Soft Token" (2023); big_vision publishes its
//! weights as `vae-oid.npz`, whose names and layouts the sources here have.

use super::{Source, WeightSpec};
use crate::graph::{Graph, Op, ShapeFault, Value, WeightTable};
use crate::ops::{Activation, FoldSpec, Grid, RowChoice};

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

/// All weights of the decoder in order of execution.
pub fn weights() -> Vec<WeightSpec> {
    let mut specs =
        vec![WeightSpec::matrix("mask_decoder.codebook", CODEBOOK, CODE_WIDTH, Source::tensor(CODEBOOK_TENSOR))];
    let mut convolution = |name: String, out: usize, k: usize| {
        specs.push(WeightSpec::matrix(&name, out, k, Source::tensor(format!("{name}.weight"))));
        specs.push(WeightSpec::exact(format!("{name}.bias"), 1, out, Source::tensor(format!("{name}.bias"))));
    };
    convolution(format!("{PREFIX}.0"), WIDTH, CODE_WIDTH);
    for block in BLOCKS {
        for (part, side) in [(0, 3), (2, 3), (4, 1)] {
            convolution(format!("{PREFIX}.{block}.net.{part}"), WIDTH, WIDTH * side * side);
        }
    }
    for (layer, channels, out) in UPSCALES {
        let name = format!("{PREFIX}.{layer}");
        let rows = out * UPSCALE.kernel_size * UPSCALE.kernel_size;
        let source = Source::Transposed(format!("{name}.weight"));
        specs.push(WeightSpec::matrix(&name, rows, channels, source));
        specs.push(WeightSpec::exact(format!("{name}.bias"), 1, out, Source::tensor(format!("{name}.bias"))));
    }
    let name = format!("{PREFIX}.{LAST}");
    specs.push(WeightSpec::matrix(&name, 1, UPSCALES[3].2, Source::tensor(format!("{name}.weight"))));
    specs.push(WeightSpec::exact(format!("{name}.bias"), 1, 1, Source::tensor(format!("{name}.bias"))));
    specs
}

/// State `mask_codes` `[16, 1]` in, a 4 x 4 grid row by row; state `mask` `[64 * 64, 1]` out, about -1 (outside) to 1.
pub fn mask_decoder(weights: &WeightTable) -> Result<Graph, ShapeFault> {
    let mut g = Graph::new("mask decoder", weights);
    let ids = g.state("mask_codes", CODES, 1);
    let table = g.weight("mask_decoder.codebook")?;
    let codes = g.push("codes", Op::Embed { ids, table, features: None, scale: 1.0 })?;
    let mut grid = Grid { height: 4, width: 4 };
    let mut x = pointwise(&mut g, &format!("{PREFIX}.0"), codes)?;
    x = relu(&mut g, &format!("{PREFIX}.1"), x)?;
    for block in BLOCKS {
        let name = format!("{PREFIX}.{block}");
        g.mark(&name);
        let mut y = convolution(&mut g, &format!("{name}.net.0"), x, grid)?;
        y = relu(&mut g, &format!("{name}.net.1"), y)?;
        y = convolution(&mut g, &format!("{name}.net.2"), y, grid)?;
        y = relu(&mut g, &format!("{name}.net.3"), y)?;
        y = pointwise(&mut g, &format!("{name}.net.4"), y)?;
        x = g.push(&name, Op::Add { a: x, b: y })?;
    }
    for (layer, ..) in UPSCALES {
        let name = format!("{PREFIX}.{layer}");
        g.mark(&name);
        let patches = linear(&mut g, &format!("{name}.patches"), &name, None, x)?;
        let bias = g.weight(&format!("{name}.bias"))?;
        x = g.push(&name, Op::Fold { x: patches, bias, grid, spec: UPSCALE })?;
        x = relu(&mut g, &format!("{PREFIX}.{}", layer + 1), x)?;
        grid = UPSCALE.out(grid);
    }
    let mask = pointwise(&mut g, &format!("{PREFIX}.{LAST}"), x)?;
    g.keep(mask, "mask");
    Ok(g)
}

fn linear(g: &mut Graph, name: &str, weight: &str, bias: Option<Value>, x: Value) -> Result<Value, ShapeFault> {
    let weight = g.weight(weight)?;
    let (activation, rows) = (Activation::None, RowChoice::All);
    g.push(name, Op::Linear { x, weight, bias, residual: None, activation, rows, part: None })
}

/// A convolution of single pixels.
fn pointwise(g: &mut Graph, name: &str, x: Value) -> Result<Value, ShapeFault> {
    let bias = g.weight(&format!("{name}.bias"))?;
    linear(g, name, name, Some(bias), x)
}

/// A convolution of 3 x 3 pixels that keeps the size.
fn convolution(g: &mut Graph, name: &str, x: Value, grid: Grid) -> Result<Value, ShapeFault> {
    let unfolded = g.push(&format!("{name}.unfold"), Op::Unfold { x, grid, kernel_size: 3 })?;
    pointwise(g, name, unfolded)
}

fn relu(g: &mut Graph, name: &str, x: Value) -> Result<Value, ShapeFault> {
    g.push(name, Op::Activate { x, activation: Activation::Relu })
}
