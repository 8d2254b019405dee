//! `attention*`: head sizes, grouped heads, masks, windows, softcap; over own rows and over the cache; decode in parts.

use ocelli::kernels::params::AttentionParams;
use ocelli::kernels::{Kernel, KernelId, Step};

use crate::case::{KernelCase, POISON, dispatch, given, rows_up_to, written, written_of};
use crate::random::Random;
use crate::tolerance::CURVED;

/// Query heads, key heads and head size.
type Heads = (usize, usize, usize);

const PREFILL: [(KernelId, KernelId, &[Heads]); 3] = [
    (KernelId::AttentionHd64, KernelId::AttentionSerialHd64, &[(2, 2, 16), (4, 2, 64), (3, 1, 36)]),
    (KernelId::AttentionHd128, KernelId::AttentionSerialHd128, &[(2, 1, 72), (2, 2, 128)]),
    (KernelId::AttentionHd256, KernelId::AttentionSerialHd256, &[(4, 1, 256), (2, 1, 132)]),
];

const DECODE: [(KernelId, &[Heads]); 2] = [
    (KernelId::AttentionSplit, &[(2, 2, 16), (4, 2, 72), (4, 1, 256)]),
    (KernelId::AttentionSplitSerial, &[(2, 2, 16), (6, 2, 16), (3, 1, 36), (4, 2, 64), (4, 2, 72), (4, 1, 256)]),
];

/// What a query may see.
#[derive(Clone, Copy)]
struct Sight {
    mask: u32,
    prefix: u32,
    window: u32,
    softcap: f32,
}

const SIGHTS: [Sight; 6] = [
    Sight { mask: 0, prefix: 0, window: 0, softcap: 0.0 },
    Sight { mask: 1, prefix: 0, window: 0, softcap: 2.0 },
    Sight { mask: 1, prefix: 7, window: 0, softcap: 0.0 },
    Sight { mask: 1, prefix: 7, window: 4, softcap: 2.0 },
    Sight { mask: 1, prefix: 0, window: 3, softcap: 0.0 },
    Sight { mask: 1, prefix: 1000, window: 5, softcap: 0.0 },
];

pub fn cases() -> Vec<KernelCase> {
    let mut cases = Vec::new();
    for (tiled, serial, heads) in PREFILL {
        for kernel in [tiled, serial] {
            for &heads in heads {
                cases.extend([1, 8, 35].map(|tokens| own_rows(kernel, heads, tokens)));
                for sight in SIGHTS {
                    cases.push(over_cache(kernel, heads, sight, 0, 19));
                    cases.push(over_cache(kernel, heads, sight, 13, 6));
                }
            }
        }
    }
    for (kernel, heads) in DECODE {
        for &heads in heads {
            for sight in SIGHTS {
                cases.extend([0, 15, 90].map(|position| decode(kernel, heads, sight, position)));
            }
        }
    }
    cases
}

fn name((heads, kv_heads, head_dim): Heads, sight: Sight) -> String {
    let Sight { mask, prefix, window, softcap } = sight;
    format!("H={heads} G={kv_heads} K={head_dim} mask={mask} prefix={prefix} window={window} softcap={softcap}")
}

/// Queries that a workgroup covers.
fn queries(kernel: KernelId) -> usize {
    if kernel.info().kernel == Kernel::Attention { 8 } else { 32 }
}

/// As an encoder does it: queries, keys and values are in the same rows, and everything sees everything.
fn own_rows(kernel: KernelId, heads: Heads, tokens: usize) -> KernelCase {
    let (count, _, head_dim) = heads;
    let width = count * head_dim;
    let capacity = tokens + 2;
    let label = format!("{} own rows T={tokens} {}", kernel.info().name, name((count, count, head_dim), SIGHTS[0]));
    let mut random = Random::new(&label);
    let operands =
        vec![rows_up_to(&mut random, tokens, capacity, 3 * width), written_of(capacity * width, tokens * width)];
    let params = AttentionParams {
        tokens: capacity as u32,
        sequence_rows: u32::MAX,
        heads: count as u32,
        kv_heads: count as u32,
        head_dim: head_dim as u32,
        q_stride: 3 * width as u32,
        k_stride: 3 * width as u32,
        k_offset: width as u32,
        k_head_stride: head_dim as u32,
        v_offset: 2 * width as u32,
        scale: 2.0 / (head_dim as f32).sqrt(),
        ..Default::default()
    };
    let grid = [capacity.div_ceil(queries(kernel)), count, 1];
    let mut dispatch = dispatch(kernel, 2, &params, grid);
    dispatch.bindings = vec![0, 0, 0, 0, 1];
    let step = Step::one(0, tokens as u32, 0, 0);
    KernelCase { label, operands, dispatches: vec![dispatch], step, tolerance: CURVED }
}

/// The second slot of a cache `[2, G, capacity, K]` with its first rows filled and all else poisoned.
fn cache(random: &mut Random, (_, kv_heads, head_dim): Heads, rows: usize, capacity: usize) -> Vec<f32> {
    let mut values = vec![f32::from_bits(POISON); 2 * kv_heads * capacity * head_dim];
    for head in kv_heads..2 * kv_heads {
        values[head * capacity * head_dim..][..rows * head_dim].copy_from_slice(&random.floats(rows * head_dim));
    }
    values
}

fn cache_params((heads, kv_heads, head_dim): Heads, sight: Sight, capacity: usize) -> AttentionParams {
    AttentionParams {
        heads: heads as u32,
        kv_heads: kv_heads as u32,
        head_dim: head_dim as u32,
        q_stride: (heads * head_dim) as u32,
        k_stride: head_dim as u32,
        k_head_stride: (capacity * head_dim) as u32,
        slot_stride: (kv_heads * capacity * head_dim) as u32,
        source: 1,
        sequence_rows: u32::MAX,
        mask: sight.mask,
        window: sight.window,
        scale: 2.0 / (head_dim as f32).sqrt(),
        softcap: sight.softcap,
        ..Default::default()
    }
}

fn over_cache(kernel: KernelId, heads: Heads, sight: Sight, position: usize, tokens: usize) -> KernelCase {
    let label = format!("{} position={position} T={tokens} {}", kernel.info().name, name(heads, sight));
    let mut random = Random::new(&label);
    let width = heads.0 * heads.2;
    let (most, capacity) = (tokens + 3, 24);
    let operands = vec![
        rows_up_to(&mut random, tokens, most, width),
        given(&cache(&mut random, heads, position + tokens, capacity)),
        given(&cache(&mut random, heads, position + tokens, capacity)),
        written_of(most * width, tokens * width),
    ];
    let params = AttentionParams { tokens: most as u32, ..cache_params(heads, sight, capacity) };
    let grid = [most.div_ceil(queries(kernel)), heads.0, 1];
    let mut dispatch = dispatch(kernel, 4, &params, grid);
    dispatch.bindings = vec![0, 1, 2, 0, 3];
    let dispatches = vec![dispatch];
    let step = Step::one(position as u32, tokens as u32, sight.prefix, 1);
    KernelCase { label, operands, dispatches, step, tolerance: CURVED }
}

/// One query over the cache in parts, and the parts joined.
fn decode(kernel: KernelId, heads: Heads, sight: Sight, position: usize) -> KernelCase {
    let (splits, split_keys, capacity) = (7, 16, 7 * 16);
    let label = format!("{} position={position} {}", kernel.info().name, name(heads, sight));
    let mut random = Random::new(&label);
    let (count, kv_heads, head_dim) = heads;
    let width = count * head_dim;
    let operands = vec![
        given(&random.floats(width)),
        given(&cache(&mut random, heads, position + 1, capacity)),
        given(&cache(&mut random, heads, position + 1, capacity)),
        written(count * splits * (head_dim + 4)),
        written(width),
    ];
    let params = AttentionParams {
        tokens: 1,
        splits: splits as u32,
        split_keys: split_keys as u32,
        ..cache_params(heads, sight, capacity)
    };
    let split_grid = match kernel {
        KernelId::AttentionSplit => [splits, count, 1],
        _ => [splits.div_ceil(8), kv_heads * (count / kv_heads).div_ceil(2), 1],
    };
    let mut split = dispatch(kernel, 4, &params, split_grid);
    split.bindings = vec![0, 1, 2, 0, 3];
    let grid = [(head_dim / 4).div_ceil(32), count, 1];
    let mut merge = dispatch(KernelId::AttentionMerge, 2, &params, grid);
    merge.bindings = vec![3, 4];
    let step = Step::one(position as u32, 1, sight.prefix, 1);
    KernelCase { label, operands, dispatches: vec![split, merge], step, tolerance: CURVED }
}
