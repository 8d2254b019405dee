// Decode attention over one part of the keys: the unnormalised result of a query over its keys of a part (at most 64).
// q [T, H, K], a row each sequence; caches, bias -> partial [T, H, splits, K + 4]: peak, sum, 0, 0, then the values; an empty part has sum 0.
// Work split: a workgroup of 64 per part and head: a key each for scores, four dimensions each for values.
// Grid: (splits, H, T). Twin: attention_split.
#import scores
@group(0) @binding(0) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> partial: array<vec4<f32>>;

const NEVER: f32 = -1e30;
var<workgroup> scores: array<f32, 64>;
var<workgroup> reduced: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let part = group.x;
    let head = group.y;
    let sequence = group.z;
    let d4s = params.head_dim / 4u;
    let g = head / (params.heads / params.kv_heads);
    let keys = keys_at(sequence);
    let q_at = (params.q_offset + sequence * params.q_stride) / 4u + head * d4s;
    let k_at = (params.k_offset + keys + g * params.k_head_stride) / 4u;
    let v_at = (params.v_offset + keys + g * params.k_head_stride) / 4u;
    let stride = params.k_stride / 4u;
    let i = query_position(sequence, 0u);
    let first = max(first_key(sequence, i), part * params.split_keys);
    let valid = valid_rows(sequence) > 0u;
    let end = select(first, max(first, min(end_key(sequence, i), (part + 1u) * params.split_keys)), valid);
    let j = first + lane;
    var own_score = NEVER;
    if j < end {
        var sum = 0.0;
        for (var d = 0u; d < d4s; d++) {
            sum += dot(q[q_at + d], k[k_at + j * stride + d]);
        }
        own_score = score(sum, i, j, head);
    }
    reduced[lane] = own_score;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            reduced[lane] = max(reduced[lane], reduced[lane + half]);
        }
    }
    workgroupBarrier();
    let peak = reduced[0];
    workgroupBarrier();
    let p = select(0.0, exp(own_score - peak), j < end);
    scores[lane] = p;
    reduced[lane] = p;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            reduced[lane] += reduced[lane + half];
        }
    }
    workgroupBarrier();
    let at = ((sequence * params.heads + head) * params.splits + part) * (d4s + 1u);
    if lane == 0u && valid {
        partial[at] = vec4<f32>(peak, reduced[0], 0.0, 0.0);
    }
    for (var d = lane; d < d4s && valid; d += 64u) {
        var sum = vec4<f32>(0.0);
        for (var n = first; n < end; n++) {
            sum += scores[n - first] * v[v_at + n * stride + d];
        }
        partial[at + 1u + d] = sum;
    }
}
