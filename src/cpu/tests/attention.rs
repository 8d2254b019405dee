use super::random::{Random, assert_close, poisoned};
use crate::cpu::fast::{self, Workspace};
use crate::cpu::twins::attention::{Attention, Bias, Visible, attention};
use crate::cpu::twins::attention_split::{HEAD, merge, split};

/// Buffers of one attention, as keys of the pass itself (rows of fused q, k and v) or as a cache.
struct Held {
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    table: Vec<f32>,
}

#[derive(Debug, Clone, Copy)]
struct Case {
    tokens: usize,
    position: usize,
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
    visible: Visible,
    softcap: f32,
    cache: bool,
    /// Rows of the table of biases.
    bias: usize,
}

fn hold(case: &Case, random: &mut Random) -> Held {
    let Case { tokens, position, heads, kv_heads, head_dim, .. } = *case;
    // Large enough that softmax is far from uniform.
    let mut vector = |n: usize| random.vector(n).into_iter().map(|x| 2.0 * x).collect::<Vec<_>>();
    let keys = (position + tokens + 3) * kv_heads * head_dim;
    Held {
        q: vector(tokens * (heads + 2 * kv_heads) * head_dim),
        k: vector(keys.max(tokens * (heads + 2 * kv_heads) * head_dim)),
        v: vector(keys.max(tokens * (heads + 2 * kv_heads) * head_dim)),
        table: vector(case.bias * (heads + 1)),
    }
}

fn bind<'a>(case: &Case, held: &'a Held) -> Attention<'a> {
    let Case { tokens, position, heads, kv_heads, head_dim, visible, softcap, cache, bias } = *case;
    let width = (heads + 2 * kv_heads) * head_dim;
    let (kv_stride, head_stride) =
        if cache { (head_dim, (position + tokens + 3) * head_dim) } else { (width, head_dim) };
    Attention {
        tokens,
        keys: position + tokens,
        position,
        heads,
        kv_heads,
        head_dim,
        q: &held.q,
        q_stride: width,
        k: &held.k,
        v: &held.v,
        kv_stride,
        head_stride,
        visible,
        scale: 1.0 / (head_dim as f32).sqrt(),
        softcap,
        bias: (bias > 0).then(|| Bias { table: &held.table, rows: bias, stride: heads + 1, center: bias / 3 }),
    }
}

fn compare(case: Case, random: &mut Random, workspace: &mut Workspace) {
    let held = hold(&case, random);
    let op = bind(&case, &held);
    let count = case.tokens * case.heads * case.head_dim;
    let (mut plain, mut quick) = (poisoned(count + 5), poisoned(count + 5));
    attention(&op, &mut plain[..count]);
    fast::attention::attention(&op, &mut quick, workspace);
    assert_close(&format!("{case:?}"), &plain, &quick, 1e-5);

    if case.tokens == 1 {
        let splits = 1 + random.below(4);
        // Sometimes more splits than keys: the last ones are empty.
        let split_keys = op.keys.div_ceil(splits) + random.below(3);
        let parts = case.heads * splits * (HEAD + case.head_dim);
        let (mut plain_parts, mut quick_parts) = (poisoned(parts), poisoned(parts));
        split(&op, splits, split_keys, &mut plain_parts);
        fast::attention_split::split(&op, splits, split_keys, &mut quick_parts, workspace);
        for parts in [plain_parts, quick_parts] {
            let mut merged = poisoned(count);
            merge(&parts, splits, case.head_dim, &mut merged);
            assert_close(&format!("split {splits} {split_keys} {case:?}"), &plain[..count], &merged, 1e-5);
        }
    }
}

#[test]
pub fn every_head_size_and_grouping() {
    let (mut random, mut workspace) = (Random::new(11), Workspace::default());
    for head_dim in [8, 12, 16, 20, 32, 36, 64, 72, 108, 128, 252, 256] {
        for (heads, kv_heads) in [(3, 3), (4, 2), (4, 1)] {
            for tokens in [1, 2, 3, 5, 17, 64] {
                let visible = Visible::Full;
                let (position, cache, bias) = (0, false, if kv_heads == 2 { tokens } else { 0 });
                let case = Case { tokens, position, heads, kv_heads, head_dim, visible, softcap: 0.0, cache, bias };
                compare(case, &mut random, &mut workspace);
            }
        }
    }
}

#[test]
pub fn every_mask_and_source() {
    let (mut random, mut workspace) = (Random::new(12), Workspace::default());
    for tokens in [1, 2, 5, 17, 64, 97] {
        for cache in [false, true] {
            for softcap in [0.0, 5.0] {
                for window in [0, 1, 7, 40] {
                    let position = if cache { random.below(50) } else { 0 };
                    let prefix = random.below(position + tokens + 2);
                    let visible = Visible::Prefix { prefix, window };
                    let (heads, kv_heads, head_dim, bias) = (4, 2, 32, random.below(40));
                    let case = Case { tokens, position, heads, kv_heads, head_dim, visible, softcap, cache, bias };
                    compare(case, &mut random, &mut workspace);
                }
            }
        }
    }
}

#[test]
fn large_enough_for_threads() {
    let (mut random, mut workspace) = (Random::new(13), Workspace::default());
    let visible = Visible::Prefix { prefix: 200, window: 0 };
    let case = Case {
        tokens: 211,
        position: 7,
        heads: 4,
        kv_heads: 1,
        head_dim: 64,
        visible,
        softcap: 0.0,
        cache: true,
        bias: 0,
    };
    compare(case, &mut random, &mut workspace);
}

#[test]
fn what_a_query_sees_is_a_run() {
    for keys in [0, 1, 9, 20] {
        for i in 0..20 {
            for prefix in 0..12 {
                for window in 0..8 {
                    for visible in [Visible::Full, Visible::Prefix { prefix, window }] {
                        let run = visible.run(i, keys);
                        for j in 0..keys {
                            assert_eq!(run.contains(&j), visible.sees(i, j), "{visible:?} {i} {j} {keys}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn by_hand() {
    // Scores 0 and ln 3: weights 1/4 and 3/4.
    let op = Attention {
        tokens: 1,
        keys: 2,
        position: 1,
        heads: 1,
        kv_heads: 1,
        head_dim: 4,
        q: &[2.0, 0.0, 0.0, 0.0],
        q_stride: 4,
        k: &[0.0, 5.0, 0.0, 0.0, 3.0f32.ln(), 0.0, 7.0, 0.0],
        v: &[4.0, 0.0, 8.0, 0.0, 0.0, 4.0, 8.0, 1.0],
        kv_stride: 4,
        head_stride: 8,
        visible: Visible::Prefix { prefix: 0, window: 0 },
        scale: 0.5,
        softcap: 0.0,
        bias: None,
    };
    let mut out = [0.0; 4];
    attention(&op, &mut out);
    assert_close("full", &[1.0, 3.0, 8.0, 0.75], &out, 1e-6);
    // Biases by distance: the key before gets ln 3 more, so both weigh the same; keys out of reach get the ends.
    let ln3 = 3.0f32.ln();
    let bias = |table: &'static [f32], center| Some(Bias { table, rows: table.len(), stride: 1, center });
    let table: &'static [f32] = Box::leak(Box::new([ln3, 0.0, 7.0]));
    attention(&Attention { bias: bias(table, 1), ..op }, &mut out);
    assert_close("bias", &[2.0, 2.0, 8.0, 0.5], &out, 1e-6);
    attention(&Attention { position: 9, bias: bias(table, 1), ..op }, &mut out);
    assert_close("far bias", &[1.0, 3.0, 8.0, 0.75], &out, 1e-6);
    // A window of one key: the query sees only the second.
    attention(&Attention { visible: Visible::Prefix { prefix: 0, window: 1 }, ..op }, &mut out);
    assert_close("window", &[0.0, 4.0, 8.0, 1.0], &out, 1e-6);
    // Query 0 of a prefix of 2 sees key 1 as well, and a later prefix of 1 hides it.
    attention(&Attention { position: 0, visible: Visible::Prefix { prefix: 2, window: 1 }, ..op }, &mut out);
    assert_close("prefix", &[1.0, 3.0, 8.0, 0.75], &out, 1e-6);
    attention(&Attention { position: 0, visible: Visible::Prefix { prefix: 1, window: 0 }, ..op }, &mut out);
    assert_close("causal", &[4.0, 0.0, 8.0, 0.0], &out, 1e-6);
}
