// Rotates the queries and keys of fused qkv rows by their positions (half-split pairs) and appends keys and values to
// the KV cache. qkv [T, (H + 2G) * K] -> q [T, H * K]; caches [slot, G, capacity, K], slot
// and row = position being those of the row's sequence.
// Work split: one invocation per pair of a head, heads of all kinds in y, rows in z. Grid: (ceil(K / 2 / 32), H + 2G, T).
// Twin: rope_append.
#import step
#import rotary
struct RopeParams {
    tokens: u32, // T, most rows
    heads: u32, // H
    kv_heads: u32, // G
    head_dim: u32, // K
    capacity: u32, // rows of a slot of the cache
    first_row: u32, // row of the pass that is row 0 here
    sequence_rows: u32, // R, rows of each sequence of the pass; 0xffffffff where it is one
    theta: f32, // base of the rotary frequencies
}
@group(1) @binding(0) var<uniform> params: RopeParams;
@group(0) @binding(0) var<storage, read> qkv: array<f32>;
@group(0) @binding(1) var<storage, read_write> q: array<f32>;
@group(0) @binding(2) var<storage, read_write> k_cache: array<f32>;
@group(0) @binding(3) var<storage, read_write> v_cache: array<f32>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let half = params.head_dim / 2u;
    let head = id.y;
    let t = id.z;
    let row = params.first_row + t;
    if id.x >= half || t >= params.tokens || row >= step.rows {
        return;
    }
    let sequence = step.sequence[row / params.sequence_rows];
    if row % params.sequence_rows >= sequence.tokens {
        return;
    }
    let heads = params.heads + 2u * params.kv_heads;
    let pair_at = (t * heads + head) * params.head_dim + id.x;
    let first = qkv[pair_at];
    let second = qkv[pair_at + half];
    let position = sequence.position + row % params.sequence_rows;
    let frequency = precise_exp(-precise_ln(params.theta) * (f32(id.x) / f32(half)));
    let turn = precise_cos_sin(f32(position) * frequency);
    let rotated = vec2<f32>(first * turn.x - second * turn.y, second * turn.x + first * turn.y);
    if head < params.heads {
        let at = (t * params.heads + head) * params.head_dim + id.x;
        q[at] = rotated.x;
        q[at + half] = rotated.y;
        return;
    }
    if position >= params.capacity {
        return;
    }
    let g = (head - params.heads) % params.kv_heads;
    let at = ((sequence.slot * params.kv_heads + g) * params.capacity + position) * params.head_dim + id.x;
    if head < params.heads + params.kv_heads {
        k_cache[at] = rotated.x;
        k_cache[at + half] = rotated.y;
    } else {
        v_cache[at] = first;
        v_cache[at + half] = second;
    }
}
