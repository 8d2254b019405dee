// Decode attention over one part of at most 16 keys, barrier-free: the unnormalised result of a query over its keys.
// q [1, H, K], caches -> partial [H, splits, K + 4]: peak, sum, 0, 0, then the values; an empty part has sum 0.
// The 16 keys are spelled out, scores before values: an array indexed by a loop lies in memory, which is slow on software
// adapters, and a part that is scored whole needs neither an array of values nor any rescaling.
// Work split: one invocation per part and head. Grid: (ceil(splits / 8), H). Twin: attention_split_serial.
#import attention
@group(0) @binding(0) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> partial: array<vec4<f32>>;

const NEVER: f32 = -1e30;
const NEXT: vec4<u32> = vec4<u32>(0u, 1u, 2u, 3u);

// Products of four dimensions of the query with those of four keys.
fn dots(x: vec4<f32>, at: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(dot(x, k[at.x]), dot(x, k[at.y]), dot(x, k[at.z]), dot(x, k[at.w]));
}

fn weighed(p: vec4<f32>, at: vec4<u32>) -> vec4<f32> {
    return p.x * v[at.x] + p.y * v[at.y] + p.z * v[at.z] + p.w * v[at.w];
}

fn scores(sums: vec4<f32>, j: vec4<u32>, end: u32) -> vec4<f32> {
    let all = vec4<f32>(capped(sums.x), capped(sums.y), capped(sums.z), capped(sums.w));
    return select(vec4<f32>(NEVER), all, j < vec4<u32>(end));
}

fn largest(s: vec4<f32>) -> f32 {
    return max(max(s.x, s.y), max(s.z, s.w));
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let part = id.x;
    let head = id.y;
    if part >= params.splits || valid_tokens() == 0u {
        return;
    }
    let i = query_position(0u);
    let first = max(first_key(i), part * params.split_keys);
    let end = min(end_key(i), (part + 1u) * params.split_keys);
    let d4s = params.head_dim / 4u;
    let at = (head * params.splits + part) * (d4s + 1u);
    if first >= end {
        partial[at] = vec4<f32>(NEVER, 0.0, 0.0, 0.0);
        for (var d = 0u; d < d4s; d++) {
            partial[at + 1u + d] = vec4<f32>(0.0);
        }
        return;
    }
    let head_at = step.slot * params.slot_stride + head / (params.heads / params.kv_heads) * params.k_head_stride;
    let q_at = params.q_offset / 4u + head * d4s;
    let k_at = (params.k_offset + head_at) / 4u;
    let v_at = (params.v_offset + head_at) / 4u;
    let stride = params.k_stride / 4u;
    let j0 = first + NEXT;
    let j1 = j0 + 4u;
    let j2 = j0 + 8u;
    let j3 = j0 + 12u;
    // Past the end the last key is read again and weighs nothing.
    let last = vec4<u32>(end - 1u);
    let r0 = min(j0, last) * stride;
    let r1 = min(j1, last) * stride;
    let r2 = min(j2, last) * stride;
    let r3 = min(j3, last) * stride;
    var s0 = vec4<f32>(0.0);
    var s1 = vec4<f32>(0.0);
    var s2 = vec4<f32>(0.0);
    var s3 = vec4<f32>(0.0);
    for (var d = 0u; d < d4s; d++) {
        let x = q[q_at + d];
        s0 += dots(x, k_at + d + r0);
        s1 += dots(x, k_at + d + r1);
        s2 += dots(x, k_at + d + r2);
        s3 += dots(x, k_at + d + r3);
    }
    s0 = scores(s0, j0, end);
    s1 = scores(s1, j1, end);
    s2 = scores(s2, j2, end);
    s3 = scores(s3, j3, end);
    let peak = max(max(largest(s0), largest(s1)), max(largest(s2), largest(s3)));
    let p0 = exp(s0 - peak);
    let p1 = exp(s1 - peak);
    let p2 = exp(s2 - peak);
    let p3 = exp(s3 - peak);
    partial[at] = vec4<f32>(peak, dot(p0 + p1 + p2 + p3, vec4<f32>(1.0)), 0.0, 0.0);
    for (var d = 0u; d < d4s; d++) {
        let here = v_at + d;
        partial[at + 1u + d] =
            weighed(p0, here + r0) + weighed(p1, here + r1) + weighed(p2, here + r2) + weighed(p3, here + r3);
    }
}
