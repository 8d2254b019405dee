//! Passes of several pictures or texts: every operation that they need, as plain arithmetic has it.

use ocelli::kernels::{Activation, Function, Sequence, Step};
use ocelli::ops::{
    Activate, Add, Attention, AttentionSpec, KeySource, Mask, MeanRows, Patchify, Prepend, ResizeTable, SelectRows,
};

use crate::random::Random;
use crate::run::{Input, agree, everywhere};

/// No value is too large.
const ROOM: usize = 1 << 20;

fn relu(x: &[f32]) -> Vec<f32> {
    x.iter().map(|x| x.max(0.0)).collect()
}

#[test]
fn a_table_meets_every_picture_also_where_rows_are_done_in_parts() {
    let mut random = Random::new("tables");
    let (rows, width) = (24, 8);
    let x = random.floats(rows * width);
    for table_rows in [1, 3, 8, 12, 24] {
        let table = random.floats(table_rows * width);
        let sum = relu(&x).into_iter().enumerate().map(|(n, x)| x + table[n % table.len()]);
        let expected: Vec<f32> = sum.collect();
        // Parts of 24, 16, 16, 7 and 5 rows.
        for part in [24, 17, 16, 7, 5] {
            let inputs = [Input::new("x", rows, x.clone()), Input::new("table", table_rows, table.clone())];
            let step = Step::one(0, rows as u32, 0, 0);
            let results = everywhere(&inputs, part * width * 4, &step, |g, v| {
                let x = g.push("relu", Activate { x: v[0], activation: Activation::Map(Function::Relu) })?;
                g.push("sum", Add { a: x, b: v[1] })
            });
            agree(&results, &expected);
        }
    }
}

#[test]
fn pictures_become_rows_of_patches() {
    let ([height, width], patch, pictures) = ([5, 8], 2, 3);
    let pixels = Random::new("pictures").floats(pictures * height * width * 3);
    let at = |picture: usize, y: usize, x: usize, c: usize| pixels[((picture * height + y) * width + x) * 3 + c];
    let mut expected = Vec::new();
    for n in 0..pictures * 8 {
        let (picture, y, x) = (n / 8, n % 8 / 4 * patch, n % 4 * patch);
        for c in 0..3 {
            expected.extend([[0, 0], [0, 1], [1, 0], [1, 1]].map(|[dy, dx]| at(picture, y + dy, x + dx, c)));
        }
    }
    let inputs = [Input::new("image", pictures * height * width, pixels.clone())];
    let results = everywhere(&inputs, ROOM, &Step::one(0, u32::MAX, 0, 0), |g, v| {
        g.push("patches", Patchify { image: v[0], size: [height, width], patch })
    });
    agree(&results, &expected);
}

#[test]
fn rows_are_put_in_front_taken_and_averaged() {
    let mut random = Random::new("rows");
    let (sequences, each, width) = (3, 5, 4);
    let (prefix, x) = (random.floats(2 * width), random.floats(sequences * each * width));
    let inputs = || [Input::new("prefix", 2, prefix.clone()), Input::new("x", sequences * each, x.clone())];
    let step = Step::all(sequences, each + 2).expect("they fit");

    let whole: Vec<f32> = x.chunks(each * width).flat_map(|x| [&prefix, x].concat()).collect();
    let results =
        everywhere(&inputs(), ROOM, &step, |g, v| g.push("all", Prepend { prefix: v[0], x: Some(v[1]), sequences }));
    agree(&results, &whole);
    let results =
        everywhere(&inputs()[..1], ROOM, &step, |g, v| g.push("queries", Prepend { prefix: v[0], x: None, sequences }));
    agree(&results, &prefix.repeat(sequences));

    let rows = |first: usize, count: usize| -> Vec<f32> {
        x.chunks(each * width).flat_map(|x| x[first * width..][..count * width].to_vec()).collect()
    };
    for row in [0, 2, 4] {
        let results = everywhere(&inputs()[1..], ROOM, &step, |g, v| g.push("row", SelectRows::one(v[0], each, row)));
        agree(&results, &rows(row, 1));
    }
    let results = everywhere(&inputs()[1..], ROOM, &step, |g, v| {
        g.push("rows", SelectRows { x: v[0], sequence_rows: each, rows: 1..4 })
    });
    agree(&results, &rows(1, 3));
    for skip in [0, 1, 4] {
        let mean = |x: &[f32], d: usize| {
            let sum: f64 = x.iter().skip(skip * width + d).step_by(width).map(|&x| f64::from(x)).sum();
            (sum / (each - skip) as f64) as f32
        };
        let expected: Vec<f32> = x.chunks(each * width).flat_map(|x| [0, 1, 2, 3].map(|d| mean(x, d))).collect();
        let results = everywhere(&inputs()[1..], ROOM, &step, |g, v| {
            g.push("mean", MeanRows { x: v[0], sequence_rows: each, skip })
        });
        agree(&results, &expected);
    }
}

#[test]
fn a_table_of_positions_is_resized() {
    // 2 x 2 places to 3 x 1: the mean of the columns, and between the rows in the middle.
    let table = [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0], [8.0, 9.0, 10.0, 11.0], [12.0, 13.0, 14.0, 15.0]];
    let inputs = [Input::new("table", 4, table.concat())];
    let results = everywhere(&inputs, ROOM, &Step::one(0, 3, 0, 0), |g, v| {
        g.push("positions", ResizeTable { table: v[0], from: 2, to: [3, 1] })
    });
    agree(&results, &[[2.0, 3.0, 4.0, 5.0], [6.0, 7.0, 8.0, 9.0], [10.0, 11.0, 12.0, 13.0]].concat());
}

/// softmax(q k^T / sqrt(K)) v of one query and head; rows of k and v are `stride` apart.
fn attend(q: &[f32], k: &[f32], v: &[f32], stride: usize, keys: usize) -> Vec<f32> {
    let dim = q.len();
    let dot = |j: usize| q.iter().zip(&k[j * stride..]).map(|(q, k)| f64::from(*q) * f64::from(*k)).sum::<f64>();
    let weights: Vec<f64> = (0..keys).map(|j| (dot(j) / (dim as f64).sqrt()).exp()).collect();
    let total: f64 = weights.iter().sum();
    let value = |d: usize| weights.iter().enumerate().map(|(j, w)| w * f64::from(v[j * stride + d])).sum::<f64>();
    (0..dim).map(|d| (value(d) / total) as f32).collect()
}

fn spec(heads: usize, head_dim: usize, source: KeySource, sequence_rows: usize) -> AttentionSpec {
    AttentionSpec {
        heads,
        kv_heads: heads,
        head_dim,
        source,
        mask: Mask::Full,
        scale: (head_dim as f32).powf(-0.5),
        softcap: None,
        sequence_rows: Some(sequence_rows),
    }
}

/// Sequences that are valid, of those that there is room for; nothing of the others may be read.
const VALID: [(usize, usize); 3] = [(1, 1), (2, 3), (5, 5)];

/// Values of the valid rows, and poison behind them.
fn poisoned(random: &mut Random, valid: usize, rows: usize, width: usize) -> Vec<f32> {
    let mut values = random.floats(valid * width);
    values.resize(rows * width, f32::NAN);
    values
}

/// Every way to say that so many sequences have so many rows, and as many of a memory.
fn steps(valid: usize, each: usize) -> [Step; 3] {
    let sequence = |memory_slot| {
        let rows = each as u32;
        Sequence { tokens: rows, memory: rows, memory_slot, ..Default::default() }
    };
    let written_out: Vec<Sequence> = (0..valid as u32).map(sequence).collect();
    [Step::all(valid, u32::MAX as usize), Step::all(valid, each), Step::of(&written_out, each)]
        .map(|step| step.expect("they fit"))
}

#[test]
fn every_sequence_attends_to_its_own_rows() {
    let mut random = Random::new("own rows");
    for (head_dim, heads) in [(12, 3), (20, 2), (72, 2), (96, 1)] {
        for each in [1, 7, 33] {
            for (valid, capacity) in VALID {
                let width = heads * head_dim;
                let qkv = poisoned(&mut random, valid * each, capacity * each, 3 * width);
                let mut expected = Vec::new();
                for t in 0..valid * each {
                    let own = &qkv[t / each * each * 3 * width..];
                    for h in 0..heads {
                        let q = &qkv[t * 3 * width + h * head_dim..][..head_dim];
                        let (k, v) = (&own[width + h * head_dim..], &own[2 * width + h * head_dim..]);
                        expected.extend(attend(q, k, v, 3 * width, each));
                    }
                }
                let inputs = [Input::new("qkv", capacity * each, qkv)];
                let spec = spec(heads, head_dim, KeySource::Rows, each);
                for step in steps(valid, each) {
                    let results = everywhere(&inputs, ROOM, &step, |g, v| {
                        g.push("attention", Attention { q: v[0], k: v[0], v: v[0], bias: None, spec })
                    });
                    agree(&results, &expected);
                }
            }
        }
    }
}

#[test]
fn every_query_attends_to_the_memory_of_its_sequence() {
    let mut random = Random::new("memories");
    for (head_dim, heads) in [(12, 3), (20, 2), (72, 2), (96, 1)] {
        for each in [1, 7, 81] {
            for (valid, capacity) in VALID {
                let width = heads * head_dim;
                let queries = random.floats(capacity * width);
                let memory = poisoned(&mut random, valid * each, capacity * each, 2 * width);
                let mut expected = Vec::new();
                for n in 0..valid {
                    let own = &memory[n * each * 2 * width..];
                    for h in 0..heads {
                        let q = &queries[n * width + h * head_dim..][..head_dim];
                        let (k, v) = (&own[h * head_dim..], &own[width + h * head_dim..]);
                        expected.extend(attend(q, k, v, 2 * width, each));
                    }
                }
                let inputs = [Input::new("q", capacity, queries), Input::new("kv", capacity * each, memory)];
                let spec = spec(heads, head_dim, KeySource::Memory { rows: each, fused: true }, 1);
                for step in steps(valid, each) {
                    let results = everywhere(&inputs, ROOM, &step, |g, v| {
                        g.push("attention", Attention { q: v[0], k: v[1], v: v[1], bias: None, spec })
                    });
                    agree(&results, &expected);
                }
            }
        }
    }
}
