//! Linear layers.
//!
//! q8 and q4 weights meet activations rounded to int16, blocks of 32 summed exactly in int32; f32 and f16 weights meet
//! f32 activations. Many rows of `x` go through register tiles over packed panels of eight weight rows; few rows stream
//! over the weights as they lie in memory.

use super::panel::{self, ROWS};
use super::simd::{Kernel, Simd, launch};
use super::threads::{each_part, parts};
use super::workspace::{Lane, Workspace, lanes_for, room};
use super::{quantise, tile};
use crate::cpu::call::Call;
use crate::cpu::twins::linear::{Linear, bind};
use crate::cpu::{CpuError, activation};
use crate::quant::BLOCK;
use crate::tensor::Dtype;

/// Up to so many rows of `x` the weights are not packed.
const FEW: usize = 4;
/// Bytes of packed weights that every tile of activations goes over: they stay in a small second-level cache, while the
/// activations of many pictures, which no cache holds, are read once for all of them.
const PACKED: usize = 160 << 10;

/// Activations as the kernels read them: rows `[tokens rounded up, k]`.
#[derive(Clone, Copy)]
struct Quantised<'a> {
    x: &'a [i16],
    factors: &'a [f32],
    blocks: usize,
}

pub(super) fn run(call: &mut Call<'_>, workspace: &mut Workspace) -> Result<(), CpuError> {
    let mut gathered = Vec::new();
    let (op, out) = bind(call, &mut gathered)?;
    linear(&op, out, workspace);
    Ok(())
}

/// The same as [`twins::linear::linear`](crate::cpu::twins::linear::linear).
pub fn linear(op: &Linear<'_>, out: &mut [f32], workspace: &mut Workspace) {
    if op.tokens == 0 || op.rows == 0 || op.k == 0 {
        return;
    }
    assert!(op.x.len() >= op.tokens * op.k && out.len() >= op.tokens * op.out_stride);
    assert!(op.weight.data.len() >= op.rows * op.weight.row_bytes);
    let Workspace { x16, x_scales, shared, lanes } = workspace;
    let blocks = op.k.div_ceil(BLOCK);
    let quantised = if matches!(op.weight.dtype, Dtype::Q8 | Dtype::Q4) {
        let x = room(x16, op.tokens * blocks * BLOCK);
        let factors = room(x_scales, op.tokens * blocks);
        launch(Quantise { op, x, factors, blocks });
        Quantised { x, factors, blocks }
    } else {
        Quantised { x: &[], factors: &[], blocks: 0 }
    };
    let cost = op.tokens * op.rows * op.k;
    if op.tokens <= FEW {
        let panels = op.rows.div_ceil(ROWS);
        let per_panel = op.tokens * ROWS;
        let sums = room(shared, panels * per_panel);
        let each = panels.div_ceil(parts(panels, cost));
        lanes_for(lanes, panels.div_ceil(each));
        each_part(sums, each * per_panel, lanes, |n, sums, lane| {
            launch(Few { op, quantised, first_panel: n * each, sums, lane });
        });
        launch(Finish { op, sums, out });
    } else {
        let each = op.tokens.div_ceil(parts(op.tokens, cost));
        lanes_for(lanes, op.tokens.div_ceil(each));
        let out = &mut out[..op.tokens * op.out_stride];
        each_part(out, each * op.out_stride, lanes, |n, out, lane| {
            launch(Many { op, quantised, first_token: n * each, out, lane });
        });
    }
}

struct Quantise<'a, 'b> {
    op: &'a Linear<'a>,
    x: &'b mut [i16],
    factors: &'b mut [f32],
    blocks: usize,
}

impl Kernel for Quantise<'_, '_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { op, x, factors, blocks } = self;
        let rows = x.chunks_exact_mut(blocks * BLOCK).zip(factors.chunks_exact_mut(blocks));
        for ((x, factors), row) in rows.zip(op.x.chunks_exact(op.k)) {
            quantise::quantise_row(row, x, factors);
        }
    }
}

/// Some panels of weights times a few rows of `x`, sums as `[panel][token][row of panel]`.
struct Few<'a, 'b> {
    op: &'a Linear<'a>,
    quantised: Quantised<'a>,
    first_panel: usize,
    sums: &'b mut [f32],
    lane: &'b mut Lane,
}

impl Kernel for Few<'_, '_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { op, quantised: Quantised { x, factors, blocks }, first_panel, sums, lane } = self;
        let stride = blocks.next_multiple_of(8);
        let scales = room(&mut lane.scales, 4 * stride);
        for (p, sums) in sums.chunks_exact_mut(op.tokens * ROWS).enumerate() {
            for half in [0, 4] {
                let first = (first_panel + p) * ROWS + half;
                let rows: [_; 4] = std::array::from_fn(|r| op.weight.row((first + r).min(op.rows - 1)));
                let data = rows.map(|(data, _)| data);
                data.into_iter().for_each(panel::fetch);
                if blocks > 0 {
                    for (scales, (_, row)) in scales.chunks_exact_mut(stride).zip(&rows) {
                        // SAFETY: the caller's machine.
                        unsafe { panel::widen_scales::<S>(row, scales) };
                    }
                }
                for t in 0..op.tokens {
                    let x16 = &x[t * blocks * BLOCK..][..blocks * BLOCK];
                    let factors = &factors[t * blocks..][..blocks];
                    let x32 = &op.x[t * op.k..][..op.k];
                    // SAFETY: the caller's machine; rows and activations span the same blocks.
                    let four = unsafe {
                        match op.weight.dtype {
                            Dtype::Q8 => tile::dot_rows::<S, false>(data, scales, stride, x16, factors),
                            Dtype::Q4 => tile::dot_rows::<S, true>(data, scales, stride, x16, factors),
                            dtype => tile::dot_float_rows::<S>(dtype, data, x32),
                        }
                    };
                    sums[t * ROWS + half..][..4].copy_from_slice(&four);
                }
            }
        }
    }
}

struct Finish<'a, 'b> {
    op: &'a Linear<'a>,
    sums: &'b [f32],
    out: &'b mut [f32],
}

impl Kernel for Finish<'_, '_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { op, sums, out } = self;
        for (p, sums) in sums.chunks_exact(op.tokens * ROWS).enumerate() {
            for (t, sums) in sums.chunks_exact(ROWS).enumerate() {
                // SAFETY: the caller's machine; eight elements.
                unsafe { finish::<S>(op, t, p * ROWS, S::load(sums.as_ptr()), &mut out[t * op.out_stride..]) };
            }
        }
    }
}

/// All weights times many rows of `x`.
struct Many<'a, 'b> {
    op: &'a Linear<'a>,
    quantised: Quantised<'a>,
    first_token: usize,
    out: &'b mut [f32],
    lane: &'b mut Lane,
}

impl Kernel for Many<'_, '_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: the caller's machine.
        unsafe {
            match S::TILE {
                6 => self.tiles::<S, 6>(),
                _ => self.tiles::<S, 4>(),
            }
        }
    }
}

impl Many<'_, '_> {
    #[inline(always)]
    unsafe fn tiles<S: Simd, const TILE: usize>(self) {
        let Self { op, quantised, first_token, out, lane } = self;
        let blocks = quantised.blocks;
        let last = out.len() / op.out_stride;
        let [int, float, scale] = match blocks {
            0 => [0, op.k * ROWS, 0],
            blocks => [blocks * BLOCK * ROWS, 0, blocks * ROWS],
        };
        let panels = (PACKED / (2 * int + 4 * float)).clamp(1, op.rows.div_ceil(ROWS));
        let w16 = room(&mut lane.w16, panels * int);
        let scales = room(&mut lane.scales, panels * scale);
        let w32 = room(&mut lane.w32, panels * float);
        for first in (0..op.rows).step_by(panels * ROWS) {
            let firsts = || (first..op.rows.min(first + panels * ROWS)).step_by(ROWS).enumerate();
            for (p, first) in firsts() {
                if blocks > 0 {
                    let scales = &mut scales[p * scale..][..scale];
                    panel::pack_int(&op.weight, first, op.rows, &mut w16[p * int..][..int], scales);
                } else {
                    // SAFETY: the caller's machine.
                    unsafe { panel::pack_float::<S>(&op.weight, first, op.rows, &mut w32[p * float..][..float]) };
                }
            }
            for t in (0..last).step_by(TILE) {
                // The last row stands in for those beyond the end; what it gives is dropped.
                let token = |m: usize| first_token + (t + m).min(last - 1);
                for (p, first) in firsts() {
                    // SAFETY: the caller's machine; `token` is a row of `x`, and the panels were packed for its width.
                    let sums: [S::F; TILE] = unsafe {
                        if blocks > 0 {
                            let x = std::array::from_fn(|m| quantised.x[token(m) * blocks * BLOCK..].as_ptr());
                            let factors = std::array::from_fn(|m| quantised.factors[token(m) * blocks..].as_ptr());
                            tile::int::<S, TILE>(x, factors, &w16[p * int..][..int], &scales[p * scale..][..scale])
                        } else {
                            let x = std::array::from_fn(|m| op.x[token(m) * op.k..].as_ptr());
                            tile::float::<S, TILE>(x, &w32[p * float..][..float])
                        }
                    };
                    for (m, sums) in sums.into_iter().enumerate().take(last - t) {
                        // SAFETY: the caller's machine.
                        unsafe { finish::<S>(op, token(m), first, sums, &mut out[(t + m) * op.out_stride..]) };
                    }
                }
            }
        }
    }
}

/// Bias, activation and residual of up to eight columns from weight row `first` on; `out` starts at the token's row.
#[inline(always)]
unsafe fn finish<S: Simd>(op: &Linear<'_>, token: usize, first: usize, sums: S::F, out: &mut [f32]) {
    let count = (op.rows - first).min(ROWS);
    let mut lanes = [0.0f32; ROWS];
    // SAFETY: the caller's machine; all pointers are to arrays of eight.
    unsafe {
        let mut y = sums;
        if let Some(bias) = op.bias {
            lanes[..count].copy_from_slice(&bias[first..first + count]);
            y = S::add(y, S::load(lanes.as_ptr()));
        }
        let plain = y;
        if let Some(function) = op.activation.function() {
            y = activation::lanes::<S>(function, y);
        }
        S::store(lanes.as_mut_ptr(), y);
        if op.activation.is_gated() {
            let mut ups = [0.0f32; ROWS];
            S::store(ups.as_mut_ptr(), plain);
            for c in 0..ROWS / 2 {
                lanes[c] = lanes[2 * c] * ups[2 * c + 1];
            }
        }
    }
    let (first, count) = (op.activation.width(first), op.activation.width(count));
    let at = op.first_column + first;
    if let Some(residual) = op.residual {
        let residual = &residual[token * op.out_stride + at..][..count];
        lanes.iter_mut().zip(residual).for_each(|(y, r)| *y += r);
    }
    out[at..at + count].copy_from_slice(&lanes[..count]);
}
