//! Attention of many queries: tiles of queries over packed keys, online softmax in blocks of keys.

use super::attention_split::weigh;
use super::panel::ROWS;
use super::simd::{self, Kernel, Simd, launch};
use super::threads::{each_part, parts};
use super::tile;
use super::workspace::{Lane, Workspace, lanes_for, room};
use crate::cpu::CpuError;
use crate::cpu::activation::softcap_lanes;
use crate::cpu::call::Call;
use crate::cpu::twins::attention::{self as twin, Attention, Sequences, bind};

/// Keys of a block.
const BLOCK: usize = 32;
/// The score of a key that is not seen; its weight comes out as good as 0.
const HIDDEN: f32 = -3.0e38;
/// Up to so many queries the keys are not packed.
const FEW: usize = 3;
/// The largest tile of queries.
const MAX_TILE: usize = 6;

pub(super) fn run(call: &mut Call<'_>, workspace: &mut Workspace) -> Result<(), CpuError> {
    let (sequences, width, out) = bind(call)?;
    if sequences.rows() == 1 && sequences.count() > 1 && width > 0 {
        single_rows(&sequences, width, out, workspace);
    } else {
        sequences.each(width, out, |op, out| attention(op, out, workspace));
    }
    Ok(())
}

/// One query of each of several sequences: threads share the sequences.
fn single_rows(sequences: &Sequences<'_>, width: usize, out: &mut [f32], workspace: &mut Workspace) {
    let rows = out.len() / width;
    let keys: usize = (0..rows).map(|n| sequences.attention(n).keys).sum();
    let each = rows.div_ceil(parts(rows, keys * width)).max(1);
    let lanes = &mut workspace.lanes;
    lanes_for(lanes, rows.div_ceil(each));
    each_part(out, each * width, lanes, |part, out, lane| {
        for (n, out) in out.chunks_exact_mut(width).enumerate() {
            let op = &sequences.attention(part * each + n);
            match op.head_dim.is_multiple_of(4) {
                _ if op.tokens == 0 => {}
                true => launch(Few { op, first: 0, out, lane }),
                false => twin::attention(op, out),
            }
        }
    });
}

/// The same as [`twins::attention::attention`](twin::attention).
pub fn attention(op: &Attention<'_>, out: &mut [f32], workspace: &mut Workspace) {
    let width = op.heads * op.head_dim;
    if op.tokens == 0 || width == 0 {
        return;
    }
    if !op.head_dim.is_multiple_of(4) || op.keys == 0 {
        return twin::attention(op, out);
    }
    let Workspace { shared, lanes, .. } = workspace;
    let out = &mut out[..op.tokens * width];
    let each = op.tokens.div_ceil(parts(op.tokens, op.tokens * op.keys * width));
    lanes_for(lanes, op.tokens.div_ceil(each));
    let few = op.tokens <= FEW;
    let packed = room(shared, if few { 0 } else { op.kv_heads * packed_len(op) });
    if !few {
        packed.chunks_exact_mut(packed_len(op)).enumerate().for_each(|(g, packed)| pack(op, g, packed));
    }
    each_part(out, each * width, lanes, |n, out, lane| {
        if few {
            launch(Few { op, first: n * each, out, lane });
        } else {
            launch(Many { op, packed, first: n * each, out, lane });
        }
    });
}

/// Elements of one head's packed keys.
fn packed_len(op: &Attention<'_>) -> usize {
    op.keys.div_ceil(ROWS) * ROWS * op.head_dim
}

/// The keys of head `g` as `[panel of eight][dimension][key]`.
fn pack(op: &Attention<'_>, g: usize, packed: &mut [f32]) {
    let h = g * (op.heads / op.kv_heads);
    for (p, panel) in packed.chunks_exact_mut(ROWS * op.head_dim).enumerate() {
        for r in 0..ROWS {
            let key = op.key((p * ROWS + r).min(op.keys - 1), h);
            panel.iter_mut().skip(r).step_by(ROWS).zip(key).for_each(|(to, from)| *to = *from);
        }
    }
}

struct Few<'a, 'b> {
    op: &'a Attention<'a>,
    first: usize,
    out: &'b mut [f32],
    lane: &'b mut Lane,
}

impl Kernel for Few<'_, '_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { op, first, out, lane } = self;
        for (row, out) in out.chunks_exact_mut(op.head_dim).enumerate() {
            let (t, h) = (first + row / op.heads, row % op.heads);
            let seen = op.visible.run(op.position + t, op.keys);
            // SAFETY: the caller's machine.
            let (_, sum) = unsafe { weigh::<S>(op, t, h, seen, out, &mut lane.scales) };
            let scale = if sum == 0.0 { 0.0 } else { 1.0 / sum };
            out.iter_mut().for_each(|x| *x *= scale);
        }
    }
}

struct Many<'a, 'b> {
    op: &'a Attention<'a>,
    packed: &'a [f32],
    first: usize,
    out: &'b mut [f32],
    lane: &'b mut Lane,
}

impl Kernel for Many<'_, '_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { op, packed, first, out, lane } = self;
        let width = op.heads * op.head_dim;
        let last = out.len() / width;
        let sums = room(&mut lane.w32, MAX_TILE * op.head_dim);
        for h in 0..op.heads {
            let packed = &packed[op.group(h) * packed_len(op)..][..packed_len(op)];
            let mut t = 0;
            while t < last {
                // SAFETY: the caller's machine; the tile's rows are rows of `op`.
                let done = unsafe {
                    match S::TILE {
                        6 => tile_of::<S, 6>(op, packed, first + t, first + last, h, sums),
                        _ => tile_of::<S, 4>(op, packed, first + t, first + last, h, sums),
                    }
                };
                for m in 0..done.min(last - t) {
                    out[(t + m) * width + h * op.head_dim..][..op.head_dim]
                        .copy_from_slice(&sums[m * op.head_dim..][..op.head_dim]);
                }
                t += done;
            }
        }
    }
}

/// Results of queries `first..first + TILE` of head `h` into `sums [TILE, head_dim]`; the query before `end` stands in
/// for those beyond.
#[inline(always)]
unsafe fn tile_of<S: Simd, const TILE: usize>(
    op: &Attention<'_>,
    packed: &[f32],
    first: usize,
    end: usize,
    h: usize,
    sums: &mut [f32],
) -> usize {
    let tokens: [usize; TILE] = std::array::from_fn(|m| (first + m).min(end - 1));
    let queries = tokens.map(|t| op.query(t, h).as_ptr());
    let seen = tokens.map(|t| op.visible.run(op.position + t, op.keys));
    let from = seen.iter().map(|s| s.start).min().unwrap_or(0) / BLOCK * BLOCK;
    let to = seen.iter().map(|s| s.end).max().unwrap_or(0);
    let dim = op.head_dim;
    let sums = &mut sums[..TILE * dim];
    sums.fill(0.0);
    let (mut largest, mut totals) = ([-1e30f32; TILE], [0.0f32; TILE]);
    let mut weights = [[HIDDEN; BLOCK]; TILE];
    for block in (from..to).step_by(BLOCK) {
        let count = BLOCK.min(to - block);
        for p in 0..count.div_ceil(ROWS) {
            let panel = &packed[(block / ROWS + p) * ROWS * dim..][..ROWS * dim];
            // SAFETY: the caller's machine; a query has `dim` elements.
            unsafe {
                let scores = tile::float::<S, TILE>(queries, panel);
                for m in 0..TILE {
                    let mut score = S::mul(scores[m], S::splat(op.scale));
                    if op.softcap != 0.0 {
                        score = softcap_lanes::<S>(score, op.softcap);
                    }
                    S::store(weights[m].as_mut_ptr().add(p * ROWS), score);
                }
            }
            if let Some(bias) = op.bias {
                for (weights, t) in weights.iter_mut().zip(tokens) {
                    for (n, weight) in weights[p * ROWS..][..ROWS].iter_mut().enumerate() {
                        *weight += bias.of(op.position + t, block + p * ROWS + n, h);
                    }
                }
            }
        }
        for m in 0..TILE {
            let low = seen[m].start.saturating_sub(block).min(BLOCK);
            let high = seen[m].end.saturating_sub(block).min(BLOCK);
            weights[m][..low].fill(HIDDEN);
            weights[m][high.max(low)..].fill(HIDDEN);
            // SAFETY: the caller's machine; vectors of eight within a block of 32.
            let (factor, total) = unsafe { soften::<S>(&mut weights[m], &mut largest[m]) };
            totals[m] = totals[m] * factor + total;
            if factor != 1.0 {
                sums[m * dim..][..dim].iter_mut().for_each(|x| *x *= factor);
            }
        }
        let whole = dim / 8 * 8;
        for d in (0..whole).step_by(8) {
            // SAFETY: the caller's machine; `d + 8 <= dim`, the length of a value and of a row of sums.
            unsafe {
                let mut acc: [S::F; TILE] = [S::splat(0.0); TILE];
                for (m, acc) in acc.iter_mut().enumerate() {
                    *acc = S::load(sums.as_ptr().add(m * dim + d));
                }
                for j in 0..count {
                    let value = S::load(op.value(block + j, h).as_ptr().add(d));
                    for (acc, weights) in acc.iter_mut().zip(&weights) {
                        *acc = S::mul_add(value, S::splat(*weights.get_unchecked(j)), *acc);
                    }
                }
                for (m, acc) in acc.into_iter().enumerate() {
                    S::store(sums.as_mut_ptr().add(m * dim + d), acc);
                }
            }
        }
        if whole < dim {
            for (sums, weights) in sums.chunks_exact_mut(dim).zip(&weights) {
                for (j, weight) in weights[..count].iter().enumerate() {
                    let value = &op.value(block + j, h)[whole..];
                    sums[whole..].iter_mut().zip(value).for_each(|(sum, value)| *sum += weight * value);
                }
            }
        }
    }
    for (sums, total) in sums.chunks_exact_mut(dim).zip(totals) {
        // A query that sees nothing has only the weights of hidden keys.
        let scale = if total < 1e-30 { 0.0 } else { 1.0 / total };
        sums.iter_mut().for_each(|x| *x *= scale);
    }
    TILE
}

/// Turns a block of scores into weights relative to the largest score so far; gives the factor for what was summed
/// relative to the one before, and the sum of the weights.
#[inline(always)]
unsafe fn soften<S: Simd>(weights: &mut [f32; BLOCK], largest: &mut f32) -> (f32, f32) {
    // SAFETY: the caller's machine; vectors of eight within a block of 32.
    unsafe {
        let mut best = S::load(weights.as_ptr());
        for part in weights[8..].chunks_exact(8) {
            best = S::max(S::load(part.as_ptr()), best);
        }
        let mut lanes = [0.0f32; 8];
        S::store(lanes.as_mut_ptr(), best);
        let before = *largest;
        *largest = lanes.iter().fold(before, |a, &b| a.max(b));
        let mut total = S::splat(0.0);
        for part in weights.chunks_exact_mut(8) {
            let weight = simd::exp::<S>(S::sub(S::load(part.as_ptr()), S::splat(*largest)));
            S::store(part.as_mut_ptr(), weight);
            total = S::add(total, weight);
        }
        let factor = if before == *largest { 1.0 } else { (before - *largest).exp() };
        (factor, S::sum(total))
    }
}
