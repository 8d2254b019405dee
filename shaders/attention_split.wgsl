// Decode attention over one part of the keys: the unnormalised result of a query over its keys of a part (at most 64).
// q [1, H, K], caches -> partial [H, splits, K + 4]: peak, sum, 0, 0, then the values; an empty part has sum 0.
// Work split: a workgroup of 64 per part and head: a key each for scores, four dimensions each for values.
// Grid: (splits, H). Twin: attention_split.
#import attention
@group(0) @binding(0) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> partial: array<vec4<f32>>;

const NEVER: f32 = -1e30;
var<workgroup> scores: array<f32, 64>;
var<workgroup> reduced: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let part = group.x;
    let head = group.y;
    let d4s = params.head_dim / 4u;
    let g = head / (params.heads / params.kv_heads);
    let slot = step.slot * params.slot_stride;
    let q_at = params.q_offset / 4u + head * d4s;
    let k_at = (params.k_offset + slot + g * params.k_head_stride) / 4u;
    let v_at = (params.v_offset + slot + g * params.k_head_stride) / 4u;
    let stride = params.k_stride / 4u;
    let i = query_position(0u);
    let first = max(first_key(i), part * params.split_keys);
    let end = max(first, min(end_key(i), (part + 1u) * params.split_keys));
    let j = first + lane;
    var score = NEVER;
    if j < end {
        var sum = 0.0;
        for (var d = 0u; d < d4s; d++) {
            sum += dot(q[q_at + d], k[k_at + j * stride + d]);
        }
        score = capped(sum);
    }
    reduced[lane] = score;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            reduced[lane] = max(reduced[lane], reduced[lane + half]);
        }
    }
    workgroupBarrier();
    let peak = reduced[0];
    workgroupBarrier();
    let p = select(0.0, exp(score - peak), j < end);
    scores[lane] = p;
    reduced[lane] = p;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            reduced[lane] += reduced[lane + half];
        }
    }
    workgroupBarrier();
    let at = (head * params.splits + part) * (d4s + 1u);
    if lane == 0u {
        partial[at] = vec4<f32>(peak, reduced[0], 0.0, 0.0);
    }
    for (var d = lane; d < d4s; d += 64u) {
        var sum = vec4<f32>(0.0);
        for (var n = first; n < end; n++) {
            sum += scores[n - first] * v[v_at + n * stride + d];
        }
        partial[at + 1u + d] = sum;
    }
}
