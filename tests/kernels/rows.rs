//! Kernels that work row by row: embedding, patches, norms, RoPE and the elementwise ones.

use ocelli::kernels::params::{
    ActivateParams, AddParams, EmbedParams, FoldParams, GatherSlotsParams, NormParams, PatchifyParams, PlaceRowsParams,
    RopeParams, UnfoldParams,
};
use ocelli::kernels::{Activation, Function, KernelId, Sequence, Step};
use ocelli::quant::{encode_rows, layout};
use ocelli::tensor::Dtype;

use crate::case::{KernelCase, Operand, bytes_of_ids, changed, dispatch, given, rows_up_to, written, written_of};
use crate::random::Random;
use crate::tolerance::{CURVED, EXACT, ROTATED, ROTATED_FAR, ROUNDED, SUMMED};

/// The bit that marks an id as the number of an image feature.
const IMAGE: u32 = 1 << 31;

pub fn cases() -> Vec<KernelCase> {
    let mut cases = Vec::new();
    for (kernel, dtype) in [
        (KernelId::EmbedF32, Dtype::F32),
        (KernelId::EmbedF16, Dtype::F16),
        (KernelId::EmbedQ8, Dtype::Q8),
        (KernelId::EmbedQ4, Dtype::Q4),
    ] {
        cases.extend([4, 36, 260].map(|width| embed(kernel, dtype, width)));
    }
    cases.extend([4, 36, 260].map(place_rows));
    cases.extend([(8, 2), (11, 3), (28, 14), (15, 5)].map(|(size, patch)| patchify(1, [size; 2], patch)));
    cases.extend([(3, [7, 13], 3), (2, [33, 16], 16), (5, [2, 9], 1)].map(|(count, size, n)| patchify(count, size, n)));
    cases.extend([(4, 4, 1, 3), (3, 5, 7, 3), (1, 1, 4, 5), (6, 2, 70, 1)].map(unfold));
    cases.extend([(4, 4, 3, 4, 2, 1), (2, 5, 70, 4, 2, 1), (3, 1, 2, 5, 3, 0), (2, 2, 1, 2, 2, 0)].map(fold));
    for width in [4, 36, 260, 1028] {
        for kernel in [KernelId::LayerNormWorkgroup, KernelId::LayerNormSub, KernelId::LayerNormSerial] {
            cases.push(layer_norm(kernel, width));
        }
        for kernel in [KernelId::RmsNormWorkgroup, KernelId::RmsNormSub, KernelId::RmsNormSerial] {
            for residual in [0, 1] {
                cases.push(rms_norm(kernel, width, residual, 0));
            }
            cases.push(rms_norm(kernel, width, 0, u32::MAX));
        }
    }
    for (heads, kv_heads, head_dim) in [(1, 1, 16), (4, 2, 72), (3, 1, 256), (2, 2, 6)] {
        cases.extend(
            [(0, 0, 0), (13, 1, 0), (5000, 1, 0), (13, 1, 4)]
                .map(|(position, slot, first_row)| rope([heads, kv_heads, head_dim], position, slot, first_row)),
        );
    }
    for sequence_rows in [1, 7] {
        for count in [1, 2, 3, 5, 33, 64] {
            let lengths: Vec<u32> = (0..count).map(|n| 1 + (n * 5 + 2) % sequence_rows as u32).collect();
            cases.push(rope_of_sequences(&lengths, sequence_rows));
            for kernel in [KernelId::RmsNormWorkgroup, KernelId::RmsNormSub, KernelId::RmsNormSerial] {
                cases.push(rms_norm_of_last_rows(kernel, &lengths, sequence_rows));
            }
        }
    }
    cases.push(rope_of_sequences(&[3, 0, 2], 4));
    cases.push(rms_norm_of_last_rows(KernelId::RmsNormSerial, &[3, 2, 0], 4));
    for sources in [&[0][..], &[0, 0], &[1, 1, 2, 2, 1], &[0; 33], &[63; 64]] {
        cases.extend([4, 36, 256].map(|head_dim| gather_slots(sources, head_dim)));
    }
    for width in [1, 67, 260] {
        cases.extend([(4, 0), (2, 0), (3, 2), (1, 0)].map(|(b_rows, first)| add(width, b_rows, first)));
        for function in Function::all(3.5) {
            cases.extend([Activation::Map(function), Activation::Gated(function)].map(|act| activate(act, width)));
        }
    }
    cases
}

fn tokens(tokens: u32) -> Step {
    Step::one(0, tokens, 0, 0)
}

fn embed(kernel: KernelId, dtype: Dtype, width: usize) -> KernelCase {
    let (count, capacity, first_row, rows) = (6, 8, 5, 7u32);
    let label = format!("{} D={width}", kernel.info().name);
    let mut random = Random::new(&label);
    // Of this shard: 5, 11, 8. Of others: 4, 12. Of a picture: the one with the top bit.
    let mut ids = vec![5, 4, 11, IMAGE | 6, 12, 8];
    ids.resize(capacity, 6);
    let table = encode_rows(dtype, &random.floats(rows as usize * width), width).expect("random weights are finite");
    let bytes = layout(dtype, width);
    let mut operands = vec![Operand::Given(bytes_of_ids(&ids)), Operand::Given(table.data)];
    if !table.scales.is_empty() {
        operands.push(Operand::Given(table.scales));
    }
    operands.push(written_of(capacity * width, 3 * width));
    let params = EmbedParams {
        tokens: capacity as u32,
        width: width as u32,
        first_row,
        rows,
        row_words: (bytes.row_bytes / 4) as u32,
        row_scales: bytes.row_scales as u32,
        scale: 45.25,
        ..Default::default()
    };
    let grid = [width.div_ceil(256), capacity, 1];
    let dispatches = vec![dispatch(kernel, operands.len(), &params, grid)];
    KernelCase { label, operands, dispatches, step: tokens(count), tolerance: ROUNDED }
}

fn place_rows(width: usize) -> KernelCase {
    let (capacity, features) = (7, 4);
    let label = format!("place_rows D={width}");
    let mut random = Random::new(&label);
    let ids = [3, IMAGE | 2, IMAGE, 9, IMAGE | 3, IMAGE | 1, IMAGE | 1];
    let operands = vec![
        Operand::Given(bytes_of_ids(&ids)),
        given(&random.floats(features * width)),
        written_of(capacity * width, 3 * width),
    ];
    let params = PlaceRowsParams {
        tokens: capacity as u32,
        width: width as u32,
        feature_rows: features as u32,
        ..Default::default()
    };
    let grid = [width.div_ceil(256), capacity, 1];
    let dispatches = vec![dispatch(KernelId::PlaceRows, 3, &params, grid)];
    KernelCase { label, operands, dispatches, step: tokens(5), tolerance: EXACT }
}

fn patchify(count: usize, size: [usize; 2], patch: usize) -> KernelCase {
    let grid = size.map(|side| side / patch);
    let (patches, width) = (count * grid[0] * grid[1], (3 * patch * patch).next_multiple_of(4));
    let label = format!("patchify B={count} {size:?} patch={patch}");
    let image = Random::new(&label).floats(count * size[0] * size[1] * 3);
    let operands = vec![given(&image), written(patches * width)];
    let params = PatchifyParams {
        tokens: patches as u32,
        image_height: size[0] as u32,
        image_width: size[1] as u32,
        patch_size: patch as u32,
        grid_rows: grid[0] as u32,
        grid_columns: grid[1] as u32,
        width: width as u32,
        ..Default::default()
    };
    let grid = [width.div_ceil(64), patches, 1];
    let dispatches = vec![dispatch(KernelId::Patchify, 2, &params, grid)];
    KernelCase { label, operands, dispatches, step: tokens(patches as u32), tolerance: EXACT }
}

fn unfold((height, width, channels, n): (usize, usize, usize, usize)) -> KernelCase {
    let label = format!("unfold {height}x{width} C={channels} n={n}");
    let (pixels, columns) = (height * width, channels * n * n);
    let operands = vec![given(&Random::new(&label).floats(pixels * channels)), written(pixels * columns)];
    let params = UnfoldParams {
        tokens: pixels as u32,
        height: height as u32,
        width: width as u32,
        channels: channels as u32,
        kernel_size: n as u32,
        ..Default::default()
    };
    let grid = [columns.div_ceil(64), pixels, 1];
    let dispatches = vec![dispatch(KernelId::Unfold, 2, &params, grid)];
    KernelCase { label, operands, dispatches, step: tokens(pixels as u32 + 3), tolerance: EXACT }
}

fn fold((height, width, channels, n, stride, padding): (usize, usize, usize, usize, usize, usize)) -> KernelCase {
    let label = format!("fold {height}x{width} C={channels} n={n} stride={stride} padding={padding}");
    let mut random = Random::new(&label);
    let [out_height, out_width] = [height, width].map(|side| (side - 1) * stride + n - 2 * padding);
    let pixels = out_height * out_width;
    let operands = vec![
        given(&random.floats(height * width * channels * n * n)),
        given(&random.floats(channels)),
        written(pixels * channels),
    ];
    let params = FoldParams {
        tokens: pixels as u32,
        height: height as u32,
        width: width as u32,
        out_width: out_width as u32,
        channels: channels as u32,
        kernel_size: n as u32,
        stride: stride as u32,
        padding: padding as u32,
    };
    let grid = [channels.div_ceil(64), pixels, 1];
    let dispatches = vec![dispatch(KernelId::Fold, 3, &params, grid)];
    KernelCase { label, operands, dispatches, step: tokens(pixels as u32 + 3), tolerance: SUMMED }
}

fn layer_norm(kernel: KernelId, width: usize) -> KernelCase {
    let (rows, capacity) = (3, 5);
    let label = format!("{} D={width}", kernel.info().name);
    let mut random = Random::new(&label);
    let operands = vec![
        rows_up_to(&mut random, rows, capacity, width),
        given(&random.floats(width)),
        given(&random.floats(width)),
        written_of(capacity * width, rows * width),
    ];
    let params = NormParams { tokens: capacity as u32, width: width as u32, eps: 1e-6, ..Default::default() };
    let dispatches = vec![dispatch(kernel, 4, &params, [capacity, 1, 1])];
    KernelCase { label, operands, dispatches, step: tokens(rows as u32), tolerance: SUMMED }
}

fn rms_norm(kernel: KernelId, width: usize, residual: u32, x_row: u32) -> KernelCase {
    let last = x_row == u32::MAX;
    let (rows, capacity) = if last { (1, 1) } else { (3, 5) };
    let label = format!("{} D={width} residual={residual} last={last}", kernel.info().name);
    let mut random = Random::new(&label);
    let x_rows = if last { 4 } else { rows };
    let operands = vec![
        rows_up_to(&mut random, x_rows, x_rows + 1, width),
        given(&random.floats(width)),
        if residual == 1 { given(&random.floats(rows * width)) } else { given(&[f32::NAN]) },
        written_of(capacity * width, rows * width),
    ];
    let params =
        NormParams { tokens: capacity as u32, width: width as u32, x_row, eps: 1e-6, residual, ..Default::default() };
    let dispatches = vec![dispatch(kernel, 4, &params, [capacity, 1, 1])];
    KernelCase { label, operands, dispatches, step: tokens(x_rows as u32), tolerance: SUMMED }
}

/// Sequences of unequal lengths and places, in a pass with room for one more.
fn rope_of_sequences(lengths: &[u32], sequence_rows: usize) -> KernelCase {
    let (heads, kv_heads, head_dim, capacity) = (3, 2, 12, 20 + sequence_rows);
    let (count, slots) = (lengths.len(), lengths.len() + 2);
    let label = format!("rope_append B={count} R={sequence_rows}");
    let mut random = Random::new(&label);
    let sequences: Vec<Sequence> = (0..count)
        .map(|n| Sequence {
            position: random.below(20),
            tokens: lengths[n],
            slot: (slots - 1 - n) as u32,
            ..Default::default()
        })
        .collect();
    let (rows, valid) = ((count + 1) * sequence_rows, lengths.iter().sum::<u32>() as usize);
    let width = (heads + 2 * kv_heads) * head_dim;
    let cache = slots * kv_heads * capacity * head_dim;
    let operands = vec![
        given(&random.floats(rows * width)),
        written_of(rows * heads * head_dim, valid * heads * head_dim),
        written_of(cache, valid * kv_heads * head_dim),
        written_of(cache, valid * kv_heads * head_dim),
    ];
    let params = RopeParams {
        tokens: rows as u32,
        heads: heads as u32,
        kv_heads: kv_heads as u32,
        head_dim: head_dim as u32,
        capacity: capacity as u32,
        sequence_rows: sequence_rows as u32,
        theta: 10_000.0,
        ..Default::default()
    };
    let grid = [1, heads + 2 * kv_heads, rows];
    let dispatches = vec![dispatch(KernelId::RopeAppend, 4, &params, grid)];
    let step = Step::of(&sequences, sequence_rows).expect("they fit");
    KernelCase { label, operands, dispatches, step, tolerance: ROTATED }
}

/// The last valid row of every sequence; of one without any something is written that nobody reads.
fn rms_norm_of_last_rows(kernel: KernelId, lengths: &[u32], sequence_rows: usize) -> KernelCase {
    let (width, count) = (36, lengths.len());
    let label = format!("{} last of {lengths:?} R={sequence_rows}", kernel.info().name);
    let mut random = Random::new(&label);
    let operands = vec![
        given(&random.floats((count + 1) * sequence_rows * width)),
        given(&random.floats(width)),
        given(&[f32::NAN]),
        written_of((count + 1) * width, count * width),
    ];
    let params = NormParams {
        tokens: count as u32 + 1,
        width: width as u32,
        x_row: u32::MAX,
        sequence_rows: sequence_rows as u32,
        eps: 1e-6,
        ..Default::default()
    };
    let dispatches = vec![dispatch(kernel, 4, &params, [count + 1, 1, 1])];
    let sequences: Vec<Sequence> = lengths.iter().map(|&tokens| Sequence { tokens, ..Default::default() }).collect();
    let step = Step::of(&sequences, sequence_rows).expect("they fit");
    KernelCase { label, operands, dispatches, step, tolerance: SUMMED }
}

/// Rows 3 .. 9 of some slots of a cache come from others; all else keeps its bits.
fn gather_slots(sources: &[usize], head_dim: usize) -> KernelCase {
    let (slots, kv_heads, capacity) = (sources.len() + 1, 3, 11);
    let label = format!("gather_slots {sources:?} K={head_dim}");
    let params = GatherSlotsParams {
        slots: slots as u32,
        kv_heads: kv_heads as u32,
        capacity: capacity as u32,
        head_dim: head_dim as u32,
    };
    let cache = Random::new(&label).floats(slots * kv_heads * capacity * head_dim);
    let grid = [(capacity * head_dim / 4).div_ceil(64), kv_heads, slots];
    let dispatches = vec![dispatch(KernelId::GatherSlots, 1, &params, grid)];
    let step = Step::gather(sources, 3..9).expect("sources stay");
    KernelCase { label, operands: vec![changed(&cache)], dispatches, step, tolerance: EXACT }
}

/// Three valid rows, of a pass whose rows before `first_row` are done elsewhere.
fn rope([heads, kv_heads, head_dim]: [usize; 3], position: u32, slot: u32, first_row: u32) -> KernelCase {
    let (rows, room, capacity, slots) = (3, 4, (position + first_row) as usize + 6, 2);
    let label = format!("rope_append H={heads} G={kv_heads} K={head_dim} position={position} row={first_row}");
    let mut random = Random::new(&label);
    let cache = slots * kv_heads * capacity * head_dim;
    let new = rows * kv_heads * head_dim;
    let operands = vec![
        rows_up_to(&mut random, rows, room, (heads + 2 * kv_heads) * head_dim),
        written_of(room * heads * head_dim, rows * heads * head_dim),
        written_of(cache, new),
        written_of(cache, new),
    ];
    let params = RopeParams {
        tokens: room as u32,
        heads: heads as u32,
        kv_heads: kv_heads as u32,
        head_dim: head_dim as u32,
        capacity: capacity as u32,
        first_row,
        theta: 10_000.0,
        sequence_rows: u32::MAX,
    };
    let grid = [(head_dim / 2).div_ceil(32), heads + 2 * kv_heads, room];
    let dispatches = vec![dispatch(KernelId::RopeAppend, 4, &params, grid)];
    let step = Step::one(position, first_row + rows as u32, 0, slot);
    let tolerance = if position < 100 { ROTATED } else { ROTATED_FAR };
    KernelCase { label, operands, dispatches, step, tolerance }
}

fn add(width: usize, b_rows: usize, b_first: u32) -> KernelCase {
    let (rows, capacity) = (3, 4);
    let label = format!("add D={width} rows of b={b_rows} from {b_first}");
    let mut random = Random::new(&label);
    let operands = vec![
        rows_up_to(&mut random, rows, capacity, width),
        rows_up_to(&mut random, b_rows.min(rows), b_rows, width),
        written_of(capacity * width, rows * width),
    ];
    let params = AddParams { tokens: capacity as u32, width: width as u32, b_rows: b_rows as u32, b_first };
    let dispatches = vec![dispatch(KernelId::Add, 3, &params, [width.div_ceil(64), capacity, 1])];
    KernelCase { label, operands, dispatches, step: tokens(rows as u32), tolerance: ROUNDED }
}

fn activate(activation: Activation, width: usize) -> KernelCase {
    let (rows, capacity) = (3, 4);
    let label = format!("activate {activation:?} D={width}");
    let mut random = Random::new(&label);
    let x_width = if activation.is_gated() { 2 * width } else { width };
    // Far enough from 0 that the curves bend, and at the places where forms of GELU are most apart.
    let mut x = random.floats(rows * x_width);
    x.iter_mut().for_each(|x| *x *= 6.0);
    x[..3].copy_from_slice(&[-2.2, 2.2, -2.3]);
    x.resize(capacity * x_width, f32::NAN);
    let operands = vec![given(&x), written_of(capacity * width, rows * width)];
    let params = ActivateParams {
        tokens: capacity as u32,
        width: width as u32,
        act: activation.code(),
        gated: u32::from(activation.is_gated()),
        cap: activation.cap(),
        ..Default::default()
    };
    let dispatches = vec![dispatch(KernelId::Activate, 2, &params, [width.div_ceil(64), capacity, 1])];
    KernelCase { label, operands, dispatches, step: tokens(rows as u32), tolerance: CURVED }
}
