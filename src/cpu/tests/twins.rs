//! Every kernel through the player, with values worked out by hand.

use super::player::{Bench, f32s, words};
use crate::cpu::call::MAX_BINDINGS;
use crate::cpu::{CpuError, CpuPlayer};
use crate::kernels::{Function, KernelId, Sequence, Step, params::*};
use crate::quant::encode_rows;
use crate::tensor::Dtype;

const DTYPES: [Dtype; 4] = [Dtype::F32, Dtype::F16, Dtype::Q8, Dtype::Q4];
const PICTURE: u32 = 1 << 31;

fn step(tokens: u32) -> Step {
    Step::one(0, tokens, 0, 0)
}

/// Runs one kernel on both the plain and the fast player; `out` is given poisoned and comes back from each.
fn both(check: impl Fn(&mut Bench)) {
    for player in [CpuPlayer::plain(), CpuPlayer::new()] {
        check(&mut Bench::new(player));
    }
}

#[track_caller]
fn near(found: &[f32], expected: &[f32]) {
    let close = |(a, b): (&f32, &f32)| a == b || (a - b).abs() < 2e-6 * b.abs().max(1.0);
    assert!(found.len() == expected.len() && found.iter().zip(expected).all(close), "{found:?} is not {expected:?}");
}

#[test]
fn no_kernel_has_too_many_bindings() {
    let infos = KernelId::ALL.iter().map(|k| k.info());
    let many: Vec<_> = infos.filter(|i| i.bindings.len() > MAX_BINDINGS).map(|i| i.name).collect();
    assert!(many.is_empty(), "too many bindings: {many:?}");
}

#[test]
fn weights_say_their_dtype() {
    for kernel in KernelId::ALL {
        let info = kernel.info();
        let named = DTYPES.into_iter().find(|d| info.name.split('_').any(|part| part == d.name()));
        assert_eq!(info.weight, named, "{}", info.name);
    }
}

#[test]
fn linear_from_a_shard() {
    let rows = encode_rows(Dtype::Q8, &[127.0, 0.0, 0.0, 0.0, 0.0, 127.0, 127.0, 0.0], 4).expect("encodes");
    for kernel in [KernelId::MatmulTiledQ8, KernelId::MatmulRegsQ8, KernelId::MatvecQ8, KernelId::MatvecSerialQ8] {
        both(|b| {
            let p = LinearParams {
                tokens: 3,
                k: 4,
                rows: 2,
                first_row: 1,
                out_stride: 4,
                row_words: 8,
                row_scales: 1,
                bias: 1,
                residual: 1,
                ..Default::default()
            };
            let x = b.floats(&[1.0, 2.0, 3.0, 4.0, -1.0, 0.0, 1.0, 0.0, 9.0, 9.0, 9.0, 9.0]);
            let (data, scales) = (b.bytes(&rows.data), b.bytes(&rows.scales));
            let (bias, residual) = (b.floats(&[0.0, 1000.0, 2000.0]), b.floats(&[0.5; 12]));
            let out = b.floats(&[-7.0; 12]);
            // Two of three rows are valid.
            b.run(kernel, &p, &[x, data, scales, bias, residual, out], step(2));
            let found = f32s(&b.read(out));
            let expected = [-7.0, 1127.5, 2635.5, -7.0, -7.0, 873.5, 2127.5, -7.0, -7.0, -7.0, -7.0, -7.0];
            for (f, e) in found.iter().zip(expected) {
                assert!((f - e).abs() < 0.05, "{found:?}");
            }
        });
    }
}

#[test]
fn linear_of_the_last_row() {
    let rows = encode_rows(Dtype::F16, &[1.0, 1.0, 1.0, 1.0], 4).expect("encodes");
    both(|b| {
        let p = LinearParams {
            tokens: 1,
            k: 4,
            rows: 1,
            out_stride: 1,
            row_words: 2,
            x_row: u32::MAX,
            ..Default::default()
        };
        let x = b.floats(&[1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 9.0, 9.0, 9.0, 9.0]);
        let (data, out) = (b.bytes(&rows.data), b.floats(&[0.0]));
        b.run(KernelId::MatvecF16, &p, &[x, data, x, x, out], step(2));
        near(&f32s(&b.read(out)), &[8.0]);
    });
}

#[test]
fn embed_and_place_rows() {
    both(|b| {
        let table = encode_rows(Dtype::F32, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], 4).expect("encodes");
        let ids = b.words(&[11, 9, PICTURE | 1, 10]);
        let (data, out) = (b.bytes(&table.data), b.floats(&[0.0; 16]));
        let p =
            EmbedParams { tokens: 4, width: 4, first_row: 10, rows: 2, row_words: 4, scale: 2.0, ..Default::default() };
        b.run(KernelId::EmbedF32, &p, &[ids, data, out], step(4));
        let features = b.floats(&[-1.0, -2.0, -3.0, -4.0, -5.0, -6.0, -7.0, -8.0]);
        let p = PlaceRowsParams { tokens: 4, width: 4, feature_rows: 2, ..Default::default() };
        b.run(KernelId::PlaceRows, &p, &[ids, features, out], step(4));
        let expected = [[10.0, 12.0, 14.0, 16.0], [0.0; 4], [-5.0, -6.0, -7.0, -8.0], [2.0, 4.0, 6.0, 8.0]];
        near(&f32s(&b.read(out)), expected.as_flattened());
    });
}

#[test]
fn patchify_drops_the_rim_and_pads() {
    both(|b| {
        // 3 x 3 pixels, patches of 1, a grid of 2: value 100 y + 10 x + c.
        let image: Vec<f32> = (0..27).map(|i| (i / 9 * 100 + i / 3 % 3 * 10 + i % 3) as f32).collect();
        let (image, out) = (b.floats(&image), b.floats(&[-1.0; 16]));
        let p = PatchifyParams {
            tokens: 4,
            image_height: 3,
            image_width: 3,
            patch_size: 1,
            grid_rows: 2,
            grid_columns: 2,
            width: 4,
            ..Default::default()
        };
        b.run(KernelId::Patchify, &p, &[image, out], step(4));
        let expected =
            [[0.0, 1.0, 2.0, 0.0], [10.0, 11.0, 12.0, 0.0], [100.0, 101.0, 102.0, 0.0], [110.0, 111.0, 112.0, 0.0]];
        near(&f32s(&b.read(out)), expected.as_flattened());
    });
}

#[test]
fn patchify_takes_several_pictures_of_unequal_sides() {
    both(|b| {
        // Three pictures of 2 x 5 pixels, patches of 2, a grid of 1 x 2: value 1000 picture + 100 y + 10 x + c. Two are
        // valid.
        let value = |i: usize| (i / 30 * 1000 + i / 15 % 2 * 100 + i / 3 % 5 * 10 + i % 3) as f32;
        let image: Vec<f32> = (0..90).map(value).collect();
        let (image, out) = (b.floats(&image), b.floats(&[-1.0; 72]));
        let p = PatchifyParams {
            tokens: 6,
            image_height: 2,
            image_width: 5,
            patch_size: 2,
            grid_rows: 1,
            grid_columns: 2,
            width: 12,
            ..Default::default()
        };
        b.run(KernelId::Patchify, &p, &[image, out], step(4));
        let patch = |first: f32| (0..3).flat_map(move |c| [0, 10, 100, 110].map(|place| first + (place + c) as f32));
        let mut expected: Vec<f32> = [0.0, 20.0, 1000.0, 1020.0].into_iter().flat_map(patch).collect();
        expected.resize(72, -1.0);
        near(&f32s(&b.read(out)), &expected);
        let error = b.try_run(KernelId::Patchify, &PatchifyParams { grid_columns: 3, ..p }, &[image, out], step(4));
        assert!(error.is_err_and(|e| e.to_string().contains("from left to right of the grid is 6, and at most 5")));
        let error = b.try_run(KernelId::Patchify, &PatchifyParams { grid_rows: 0, ..p }, &[image, out], step(4));
        assert!(error.is_err_and(|e| e.to_string().contains("without a patch is 4, and at most 0")));
    });
}

#[test]
fn norms() {
    both(|b| {
        let x = b.floats(&[9.0, 9.0, 9.0, 9.0, 1.0, -1.0, 1.0, -1.0]);
        let (weight, bias, out) = (b.floats(&[1.0, 2.0, 3.0, 4.0]), b.floats(&[0.5; 4]), b.floats(&[0.0; 4]));
        let p = NormParams { tokens: 1, width: 4, x_row: 1, ..Default::default() };
        b.run(KernelId::LayerNormWorkgroup, &p, &[x, weight, bias, out], step(2));
        near(&f32s(&b.read(out)), &[1.5, -1.5, 3.5, -3.5]);
        let p = NormParams { x_row: u32::MAX, eps: 3.0, residual: 1, ..p };
        b.run(KernelId::RmsNormSerial, &p, &[x, weight, bias, out], step(2));
        near(&f32s(&b.read(out)), &[1.5, -1.0, 2.5, -2.0]);
        let p = NormParams { residual: 0, ..p };
        b.run(KernelId::RmsNormSerial, &p, &[x, weight, bias, out], step(2));
        near(&f32s(&b.read(out)), &[1.0, -1.5, 2.0, -2.5]);
    });
}

#[test]
fn rope_append_rotates_and_stores() {
    both(|b| {
        // One query head, one kv head, two elements each: the angle is the position, 1, in slot 1.
        let qkv = b.floats(&[1.0, 0.0, 0.0, 2.0, 5.0, 6.0]);
        let (q, k, v) = (b.floats(&[0.0; 2]), b.floats(&[0.0; 8]), b.floats(&[0.0; 8]));
        let p = RopeParams {
            tokens: 1,
            heads: 1,
            kv_heads: 1,
            head_dim: 2,
            capacity: 2,
            theta: 10_000.0,
            sequence_rows: u32::MAX,
            ..Default::default()
        };
        let at = Step::one(1, 1, 0, 1);
        b.run(KernelId::RopeAppend, &p, &[qkv, q, k, v], at);
        let (sin, cos) = 1.0f32.sin_cos();
        near(&f32s(&b.read(q)), &[cos, sin]);
        near(&f32s(&b.read(k)), &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -2.0 * sin, 2.0 * cos]);
        near(&f32s(&b.read(v)), &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 5.0, 6.0]);
        let error = b.try_run(KernelId::RopeAppend, &p, &[qkv, q, k, v], Step::one(2, 1, 0, 1));
        assert!(error.is_err_and(|e| e.to_string().contains("KV cache")));
    });
}

#[test]
fn attention_over_the_cache_and_its_split_form() {
    both(|b| {
        // Two keys in slot 1 of a cache of 2 rows; the query is at position 1. Scores 0 and ln 3.
        let q = b.floats(&[2.0, 0.0, 0.0, 0.0]);
        let mut cached = vec![9.0; 16];
        cached[8..].copy_from_slice(&[0.0, 5.0, 0.0, 0.0, 3.0f32.ln(), 0.0, 7.0, 0.0]);
        let k = b.floats(&cached);
        cached[8..].copy_from_slice(&[4.0, 0.0, 8.0, 0.0, 0.0, 4.0, 8.0, 1.0]);
        let (v, out) = (b.floats(&cached), b.floats(&[0.0; 4]));
        let p = AttentionParams {
            tokens: 1,
            heads: 1,
            kv_heads: 1,
            head_dim: 4,
            q_stride: 4,
            k_stride: 4,
            k_head_stride: 8,
            slot_stride: 8,
            source: 1,
            mask: 1,
            splits: 3,
            split_keys: 1,
            scale: 0.5,
            sequence_rows: u32::MAX,
            ..Default::default()
        };
        let at = Step::one(1, 1, 0, 1);
        for kernel in [KernelId::AttentionHd64, KernelId::AttentionSerialHd64] {
            b.run(kernel, &p, &[q, k, v, q, out], at);
            near(&f32s(&b.read(out)), &[1.0, 3.0, 8.0, 0.75]);
        }
        let (partial, merged) = (b.floats(&[7.0; 24]), b.floats(&[0.0; 4]));
        for kernel in [KernelId::AttentionSplit, KernelId::AttentionSplitSerial] {
            b.run(kernel, &p, &[q, k, v, q, partial], at);
            let parts = f32s(&b.read(partial));
            near(&parts[..8], &[0.0, 1.0, 0.0, 0.0, 4.0, 0.0, 8.0, 0.0]);
            assert_eq!(parts[17], 0.0, "the third part is empty");
            b.run(KernelId::AttentionMerge, &p, &[partial, merged], at);
            near(&f32s(&b.read(merged)), &[1.0, 3.0, 8.0, 0.75]);
        }
    });
}

#[test]
fn attention_over_a_memory_of_each_sequence() {
    both(|b| {
        // Two sequences of one query; the first sees one row of block 1, the second both rows of block 0, whose scores
        // are 0 and ln 3. A third row of the plan has no sequence.
        let ln3 = 3.0f32.ln();
        let q = b.floats(&[2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 9.0, 9.0, 9.0, 9.0]);
        let kv = b.floats(
            &[
                [0.0, 5.0, 0.0, 0.0, 4.0, 0.0, 8.0, 0.0],
                [ln3, 0.0, 7.0, 0.0, 0.0, 4.0, 8.0, 1.0],
                [1.0, 1.0, 1.0, 1.0, 5.0, 6.0, 7.0, 8.0],
                [f32::NAN; 8],
            ]
            .concat(),
        );
        let out = b.floats(&[-1.0; 12]);
        let p = AttentionParams {
            tokens: 3,
            sequence_rows: 1,
            heads: 1,
            kv_heads: 1,
            head_dim: 4,
            q_stride: 4,
            k_stride: 8,
            k_head_stride: 4,
            v_offset: 4,
            slot_stride: 16,
            source: 2,
            scale: 0.5,
            ..Default::default()
        };
        let one = |memory, memory_slot| Sequence { tokens: 1, memory, memory_slot, ..Default::default() };
        let at = Step::of(&[one(1, 1), one(2, 0)], 1).expect("they fit");
        b.run(KernelId::AttentionHd64, &p, &[q, kv, kv, q, out], at);
        near(&f32s(&b.read(out)), &[5.0, 6.0, 7.0, 8.0, 1.0, 3.0, 8.0, 0.75, -1.0, -1.0, -1.0, -1.0]);
        // A memory without a valid row gives zeros, and one of more rows than there are is refused.
        let at = Step::of(&[one(0, 1)], 1).expect("it fits");
        b.run(KernelId::AttentionHd64, &p, &[q, kv, kv, q, out], at);
        near(&f32s(&b.read(out))[..4], &[0.0; 4]);
        let at = Step::of(&[one(3, 0)], 1).expect("it fits");
        let error = b.try_run(KernelId::AttentionHd64, &p, &[q, kv, kv, q, out], at);
        assert!(error.is_err_and(|e| e.to_string().contains("rows of a memory is 3, and at most 2")));
    });
}

#[test]
fn gather_slots_copies_between_slots() {
    both(|b| {
        // Three slots of two heads of three rows of one vector; row 1 of slot 0 goes to slot 2, slot 1 stays.
        let rows: Vec<f32> = (0..72).map(|i| i as f32).collect();
        let cache = b.floats(&rows);
        let p = GatherSlotsParams { slots: 3, kv_heads: 2, capacity: 3, head_dim: 4 };
        let at = Step::gather(&[0, 1, 0], 1..2).expect("0 stays");
        b.run(KernelId::GatherSlots, &p, &[cache], at);
        let mut expected = rows.clone();
        expected.copy_within(4..8, 52);
        expected.copy_within(16..20, 64);
        near(&f32s(&b.read(cache)), &expected);
    });
}

#[test]
fn elementwise() {
    both(|b| {
        let (x, y, out) = (b.floats(&[0.0, 1.0, -1.0, 2.0]), b.floats(&[1.0, 2.0, 3.0, 4.0]), b.floats(&[0.0; 4]));
        let p = AddParams { tokens: 1, width: 4, b_rows: 1, ..Default::default() };
        b.run(KernelId::Add, &p, &[x, y, out], step(1));
        near(&f32s(&b.read(out)), &[1.0, 3.0, 2.0, 6.0]);
        let relu = ActivateParams { tokens: 1, width: 4, act: Function::Relu.code(), ..Default::default() };
        b.run(KernelId::Activate, &relu, &[x, out], step(1));
        near(&f32s(&b.read(out)), &[0.0, 1.0, 0.0, 2.0]);
        let softcap = ActivateParams { act: Function::Softcap(2.0).code(), cap: 2.0, ..relu };
        b.run(KernelId::Activate, &softcap, &[x, out], step(1));
        near(&f32s(&b.read(out)), &[0.0, 2.0 * 0.5f32.tanh(), -2.0 * 0.5f32.tanh(), 2.0 * 1.0f32.tanh()]);
        let geglu = ActivateParams { width: 2, act: Function::GeluTanh.code(), gated: 1, ..relu };
        b.run(KernelId::Activate, &geglu, &[y, out], step(1));
        near(&f32s(&b.read(out))[..2], &[0.841_192 * 2.0, 2.996_362_6 * 4.0]);
    });
}

#[test]
fn rows_of_a_sum_repeat() {
    both(|b| {
        // Five of six rows are valid; row 0 meets the second of three.
        let a = b.floats(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, f32::NAN, f32::NAN]);
        let (table, out) = (b.floats(&[100.0, 200.0, 300.0, 400.0, 500.0, 600.0]), b.floats(&[-1.0; 12]));
        let p = AddParams { tokens: 6, width: 2, b_rows: 3, b_first: 1 };
        b.run(KernelId::Add, &p, &[a, table, out], step(5));
        let expected = [300.0, 401.0, 502.0, 603.0, 104.0, 205.0, 306.0, 407.0, 508.0, 609.0, -1.0, -1.0];
        near(&f32s(&b.read(out)), &expected);
        let error = b.try_run(KernelId::Add, &AddParams { b_rows: 0, ..p }, &[a, table, out], step(5));
        assert!(error.is_err_and(|e| e.to_string().contains("sums of rows with none")));
    });
}

#[test]
fn an_activation_that_nobody_has_is_an_error() {
    let mut bench = Bench::new(CpuPlayer::plain());
    let (x, out) = (bench.floats(&[0.0; 4]), bench.floats(&[0.0; 4]));
    for [act, gated] in [[0, 0], [0, 1], [1, 2], [99, 0]] {
        let p = ActivateParams { tokens: 1, width: 1, act, gated, ..Default::default() };
        let error = bench.try_run(KernelId::Activate, &p, &[x, out], step(1)).expect_err("no function");
        assert!(matches!(error, CpuError::BadDispatch { kernel: "activate", .. }), "{error}");
    }
}

#[test]
fn convolutions_of_two_pixels() {
    both(|b| {
        // Pixels 1 and 2 beside each other: every neighbourhood of 3 x 3 holds them in its middle row.
        let (x, rows) = (b.floats(&[1.0, 2.0]), b.floats(&[9.0; 18]));
        let p = UnfoldParams { tokens: 2, height: 1, width: 2, channels: 1, kernel_size: 3, ..Default::default() };
        b.run(KernelId::Unfold, &p, &[x, rows], step(2));
        let middle = |row: [f32; 3]| [[0.0; 3], row, [0.0; 3]].concat();
        near(&f32s(&b.read(rows)), &[middle([0.0, 1.0, 2.0]), middle([1.0, 2.0, 0.0])].concat());
        // Two patches of 2 x 2, one pixel apart: the column between them gets both.
        let (x, bias, out) =
            (b.floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]), b.floats(&[10.0]), b.floats(&[0.0; 6]));
        let p = FoldParams {
            tokens: 6,
            height: 1,
            width: 2,
            out_width: 3,
            channels: 1,
            kernel_size: 2,
            stride: 1,
            padding: 0,
        };
        b.run(KernelId::Fold, &p, &[x, bias, out], step(6));
        near(&f32s(&b.read(out)), &[11.0, 17.0, 16.0, 13.0, 21.0, 18.0]);
    });
}

#[test]
fn choosing_tokens() {
    both(|b| {
        let logits = b.floats(&[0.0, 2.0, 2.0, 1.0, -1.0, 0.0, 0.0, 0.0, 0.0, f32::NAN]);
        let (partial, choice, next) = (b.words(&[9; 16]), b.words(&[9; 8]), b.words(&[9; 2]));
        let p = SelectParams { tokens: 2, vocab: 5, chunk: 3, chunks: 2, ..Default::default() };
        b.run(KernelId::ArgmaxPartial, &p, &[logits, partial], step(2));
        b.run(KernelId::ArgmaxMerge, &p, &[partial, choice, next], step(2));
        let found = words(&b.read(choice));
        let sum: f32 = [0.0f32, 2.0, 2.0, 1.0, -1.0].iter().map(|x| x.exp()).sum();
        assert_eq!(found[0], 1, "the lower of two equals");
        near(&[f32::from_bits(found[1]), f32::from_bits(found[2])], &[2.0, sum.ln()]);
        assert_eq!(found[4], u32::MAX, "a logit that is no number");
        assert_eq!(words(&b.read(next)), [1, 0]);

        let (ids, out) = (b.words(&[3, 99]), b.floats(&[-7.0; 2]));
        b.run(KernelId::LogSoftmax, &p, &[logits, ids, out], step(2));
        near(&f32s(&b.read(out)), &[1.0 - sum.ln(), -7.0]);

        let (first, merged) = (b.words(&[9; 8]), b.words(&[9; 4]));
        let p = TopKParams { tokens: 1, count: 5, chunk: 3, chunks: 2, k: 2, ..Default::default() };
        b.run(KernelId::TopKFirst, &p, &[logits, first], step(1));
        let bits = |x: f32| x.to_bits();
        assert_eq!(words(&b.read(first)), [bits(2.0), 1, bits(2.0), 2, bits(1.0), 3, bits(-1.0), 4]);
        let p = TopKParams { count: 4, chunk: 4, chunks: 1, ..p };
        b.run(KernelId::TopKMerge, &p, &[first, merged], step(1));
        assert_eq!(words(&b.read(merged)), [bits(2.0), 1, bits(2.0), 2]);
    });
}
