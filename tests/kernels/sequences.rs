//! `attention*` over several sequences in one pass: of unequal lengths, over their own rows, their slots of a cache or
//! memories of other lengths, with and without a bias.

use ocelli::kernels::params::AttentionParams;
use ocelli::kernels::{KernelId, Sequence, Step};

use crate::case::{KernelCase, POISON, dispatch, given, written_of};
use crate::random::Random;
use crate::tolerance::CURVED;

/// Where keys come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Own,
    Cache,
    /// k and v are two tensors.
    Memory,
    /// k and v are one tensor.
    Fused,
}

/// What a case varies.
#[derive(Debug, Clone, Copy)]
struct Setup {
    source: Source,
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
    /// B and R.
    count: usize,
    sequence_rows: usize,
    /// Rows of a block of a memory.
    memory_rows: usize,
    causal: bool,
    bias: bool,
    /// Every sequence takes the slot and the block of the one before.
    swapped: bool,
    /// All rows of every sequence and of its memory are valid.
    whole: bool,
}

const PLAIN: Setup = Setup {
    source: Source::Cache,
    heads: 4,
    kv_heads: 2,
    head_dim: 20,
    count: 3,
    sequence_rows: 7,
    memory_rows: 5,
    causal: true,
    bias: false,
    swapped: false,
    whole: false,
};

const SOFTWARE: [KernelId; 3] =
    [KernelId::AttentionSerialHd64, KernelId::AttentionSerialHd128, KernelId::AttentionSerialHd256];
const TILED: [KernelId; 3] = [KernelId::AttentionHd64, KernelId::AttentionHd128, KernelId::AttentionHd256];

/// The most keys of a part that both split kernels take.
const SPLIT_KEYS: usize = 16;

pub fn cases() -> Vec<KernelCase> {
    let mut cases = Vec::new();
    let mut add = |setup: Setup| cases.extend(kernels(setup).map(|kernel| case(kernel, setup)));
    for source in [Source::Own, Source::Cache, Source::Memory, Source::Fused] {
        for count in [1, 2, 3, 5, 33, 64] {
            for sequence_rows in [1, 7] {
                add(Setup { source, count, sequence_rows, bias: count % 2 == 1, ..PLAIN });
            }
        }
        for (head_dim, heads, kv_heads) in [
            (8, 2, 1),
            (12, 3, 3),
            (20, 6, 2),
            (36, 3, 1),
            (72, 4, 2),
            (108, 2, 1),
            (112, 2, 2),
            (252, 2, 1),
            (256, 4, 1),
        ] {
            for sequence_rows in [1, 19] {
                add(Setup { source, head_dim, heads, kv_heads, sequence_rows, bias: heads == 2, ..PLAIN });
            }
        }
        for bias in [false, true] {
            for sequence_rows in [1, 9, 40] {
                add(Setup { source, sequence_rows, causal: false, bias, ..PLAIN });
            }
        }
    }
    for memory_rows in [1, 5, 67] {
        for sequence_rows in [1, 7] {
            for source in [Source::Memory, Source::Fused] {
                add(Setup { source, memory_rows, sequence_rows, causal: false, count: 5, ..PLAIN });
            }
        }
    }
    // Pictures side by side, and the one query each of a pooling head.
    for (source, sequence_rows) in [(Source::Own, 1), (Source::Own, 33), (Source::Fused, 1), (Source::Memory, 1)] {
        for (head_dim, heads) in [(12, 3), (20, 2), (72, 2), (96, 1)] {
            let setup = Setup { source, sequence_rows, head_dim, heads, kv_heads: heads, memory_rows: 81, ..PLAIN };
            add(Setup { causal: false, whole: true, ..setup });
        }
    }
    cases
}

/// Both kernels of many queries; of a single query both split ones too.
fn kernels(setup: Setup) -> impl Iterator<Item = KernelId> {
    let size = match setup.head_dim {
        ..=64 => 0,
        65..=128 => 1,
        _ => 2,
    };
    let single = [KernelId::AttentionSplit, KernelId::AttentionSplitSerial];
    let single = single.into_iter().filter(move |_| setup.sequence_rows == 1);
    [TILED[size], SOFTWARE[size]].into_iter().chain(single)
}

/// Blocks of poisoned rows of which some are filled.
struct Blocks {
    values: Vec<f32>,
    rows: usize,
    width: usize,
}

impl Blocks {
    fn new(blocks: usize, rows: usize, width: usize) -> Self {
        Self { values: vec![f32::from_bits(POISON); blocks * rows * width], rows, width }
    }

    fn fill(&mut self, random: &mut Random, block: usize, rows: usize) {
        let (at, count) = (block * self.rows * self.width, rows * self.width);
        self.values[at..at + count].copy_from_slice(&random.floats(count));
    }
}

fn case(kernel: KernelId, setup: Setup) -> KernelCase {
    let Setup { source, heads, kv_heads, head_dim, count, sequence_rows, memory_rows, causal, bias, swapped, whole } =
        setup;
    let label = format!("{} {setup:?}", kernel.info().name);
    let mut random = Random::new("sequences");
    let (slots, capacity) = (count + 2, 20 + sequence_rows);
    let place = |n: usize| if swapped { (n + 1) % count } else { n };
    let sequences: Vec<Sequence> = (0..count)
        .map(|n| Sequence {
            position: if source == Source::Own { 0 } else { random.below(20) },
            tokens: 1 + random.below(sequence_rows as u32),
            prefix: random.below(9),
            slot: (slots - 1 - place(n)) as u32,
            memory: 1 + random.below(memory_rows as u32),
            memory_slot: (count - place(n)) as u32,
            ..Default::default()
        })
        .collect();
    let sequences = match whole {
        true => Step::all(count, sequence_rows).expect("they fit").sequences().to_vec(),
        false => sequences,
    };
    let step = Step::of(&sequences, sequence_rows).expect("they fit");

    // Room for one sequence more than there is.
    let rows = (count + 1) * sequence_rows;
    let valid: usize = sequences.iter().map(|s| s.tokens as usize).sum();
    let (q_width, kv_width) = (heads * head_dim, kv_heads * head_dim);
    let fused_qkv = q_width + 2 * kv_width;
    let own = source == Source::Own;
    let mut q = Blocks::new(count + 1, sequence_rows, if own { fused_qkv } else { q_width });
    sequences.iter().enumerate().for_each(|(n, s)| q.fill(&mut random, n, s.tokens as usize));
    let mut operands = vec![given(&q.values)];
    let base = AttentionParams {
        tokens: rows as u32,
        sequence_rows: sequence_rows as u32,
        heads: heads as u32,
        kv_heads: kv_heads as u32,
        head_dim: head_dim as u32,
        q_stride: q.width as u32,
        mask: u32::from(causal),
        scale: 2.0 / (head_dim as f32).sqrt(),
        splits: capacity.max(memory_rows).div_ceil(SPLIT_KEYS) as u32,
        split_keys: SPLIT_KEYS as u32,
        ..Default::default()
    };
    // A swapped case has the same numbers in the same places: every slot holds the most that any sequence sees.
    let (mut bindings, params) = match source {
        Source::Own => (
            vec![0, 0, 0],
            AttentionParams {
                k_stride: fused_qkv as u32,
                k_offset: q_width as u32,
                v_offset: (q_width + kv_width) as u32,
                k_head_stride: head_dim as u32,
                slot_stride: (sequence_rows * fused_qkv) as u32,
                ..base
            },
        ),
        Source::Cache => {
            let most = sequences.iter().map(|s| s.position + s.tokens).max().unwrap_or(0) as usize;
            for _ in 0..2 {
                let mut cache = Blocks::new(slots * kv_heads, capacity, head_dim);
                for (n, s) in sequences.iter().enumerate() {
                    let seen = if swapped { most } else { (s.position + s.tokens) as usize };
                    let slot = slots - 1 - n;
                    (0..kv_heads).for_each(|g| cache.fill(&mut random, slot * kv_heads + g, seen));
                }
                operands.push(given(&cache.values));
            }
            (
                vec![0, 1, 2],
                AttentionParams {
                    k_stride: head_dim as u32,
                    k_head_stride: (capacity * head_dim) as u32,
                    slot_stride: (kv_heads * capacity * head_dim) as u32,
                    source: 1,
                    ..base
                },
            )
        }
        Source::Memory | Source::Fused => {
            let fused = source == Source::Fused;
            let width = if fused { 2 * kv_width } else { kv_width };
            for _ in 0..if fused { 1 } else { 2 } {
                let mut memory = Blocks::new(count + 1, memory_rows, width);
                for (n, s) in sequences.iter().enumerate() {
                    let rows = if swapped { memory_rows } else { memory_rows.min(s.memory as usize) };
                    memory.fill(&mut random, if whole { n } else { count - n }, rows);
                }
                operands.push(given(&memory.values));
            }
            (
                if fused { vec![0, 1, 1] } else { vec![0, 1, 2] },
                AttentionParams {
                    k_stride: width as u32,
                    k_head_stride: head_dim as u32,
                    v_offset: if fused { kv_width as u32 } else { 0 },
                    slot_stride: (memory_rows * width) as u32,
                    source: 2,
                    mask: 0,
                    ..base
                },
            )
        }
    };
    // Shorter than the distances there are, and a column wider than there are heads.
    let (bias_rows, stride) = (9, heads + 1);
    let params = match bias {
        true => AttentionParams { bias_rows, bias_stride: stride as u32, bias_center: 5, ..params },
        false => params,
    };
    if bias {
        let mut table = random.floats(bias_rows as usize * stride);
        table.iter_mut().skip(heads).step_by(stride).for_each(|x| *x = f32::from_bits(POISON));
        bindings.push(operands.len() as u32);
        operands.push(given(&table));
    } else {
        bindings.push(0);
    }
    bindings.push(operands.len() as u32);

    let sequences = count + 1;
    let dispatches = if matches!(kernel, KernelId::AttentionSplit | KernelId::AttentionSplitSerial) {
        let splits = params.splits as usize;
        let of = |sequences: usize| sequences * heads * splits * (head_dim + 4);
        operands.push(written_of(of(rows), of(valid)));
        let grid = match kernel {
            KernelId::AttentionSplit => [splits, heads, sequences],
            _ => [splits.div_ceil(8), kv_heads * (heads / kv_heads).div_ceil(2), sequences],
        };
        let mut split = dispatch(kernel, 0, &params, grid);
        let partial = operands.len() as u32 - 1;
        split.bindings = bindings;
        let mut merge = dispatch(KernelId::AttentionMerge, 0, &params, [(head_dim / 4).div_ceil(32), heads, sequences]);
        merge.bindings = vec![partial, partial + 1];
        vec![split, merge]
    } else {
        let tall = if TILED.contains(&kernel) { 8 } else { 32 };
        let mut one = dispatch(kernel, 0, &params, [sequence_rows.div_ceil(tall), heads, sequences]);
        one.bindings = bindings;
        vec![one]
    };
    operands.push(written_of(rows * q_width, valid * q_width));
    KernelCase { label, operands, dispatches, step, tolerance: CURVED }
}

/// What the parameters say must matter: without it the same inputs give other results.
pub fn what_matters() -> Result<(), String> {
    let kernel = KernelId::AttentionSerialHd64;
    let differs = |what: &str, a: Setup, change: &dyn Fn(&mut KernelCase)| {
        let (case, mut changed) = (case(kernel, a), case(kernel, a));
        change(&mut changed);
        let (before, after) = (case.results()?, changed.results()?);
        if before.last() == after.last() { Err(format!("{what} changes nothing: {a:?}")) } else { Ok(()) }
    };
    for source in [Source::Own, Source::Cache, Source::Memory, Source::Fused] {
        for sequence_rows in [1, 7] {
            let setup = Setup { source, sequence_rows, ..PLAIN };
            let own_single = source == Source::Own && sequence_rows == 1;
            if !own_single {
                differs("the bias", Setup { bias: true, ..setup }, &|case| with(case, |p| p.bias_rows = 0))?;
            }
            if source == Source::Own && sequence_rows > 1 {
                differs("the mask", setup, &|case| with(case, |p| p.mask = 0))?;
                differs("the padding mask", Setup { causal: false, ..setup }, &|case| {
                    case.step.sequence[0].tokens -= 1;
                })?;
            }
        }
    }
    for source in [Source::Cache, Source::Memory] {
        // Every slot is filled, so that the swap of two of them is the only change.
        let setup = Setup { source, swapped: true, causal: false, ..PLAIN };
        differs("a swap of slots", setup, &|case| {
            let [a, b, ..] = &mut case.step.sequence;
            std::mem::swap(&mut a.slot, &mut b.slot);
            std::mem::swap(&mut a.memory_slot, &mut b.memory_slot);
        })?;
    }
    differs("the length of a memory", Setup { source: Source::Memory, swapped: true, ..PLAIN }, &|case| {
        let memory = &mut case.step.sequence[0].memory;
        *memory = if *memory == 1 { 2 } else { 1 };
    })
}

fn with(case: &mut KernelCase, change: impl Fn(&mut AttentionParams)) {
    for dispatch in &mut case.dispatches {
        let mut params: AttentionParams = bytemuck::pod_read_unaligned(&dispatch.params);
        change(&mut params);
        dispatch.params = bytemuck::bytes_of(&params).to_vec();
    }
}
