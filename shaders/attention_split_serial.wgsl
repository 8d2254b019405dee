// Decode attention over one part of at most 16 keys, barrier-free: the unnormalised result of a query over its keys.
// q [T, H, K], a row each sequence; caches, bias -> partial [T, H, splits, K + 4]: peak, sum, 0, 0, then the values; an empty part has sum 0.
// The 16 keys are spelled out, scores before values: an array indexed by a loop lies in memory, which is slow on software
// adapters, and a part that is scored whole needs neither an array of values nor any rescaling.
// Work split: one invocation per part and pair of heads of a kv head, which share what is read of keys and values; an odd
// head at the end pairs with itself. Grid: (ceil(splits / 8), G * ceil(H / G / 2), T). Twin: attention_split_serial.
#import scores
@group(0) @binding(0) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> partial: array<vec4<f32>>;

const NEVER: f32 = -1e30;
const NEXT: vec4<u32> = vec4<u32>(0u, 1u, 2u, 3u);

// Four dimensions of four keys, a column each.
fn four_keys(at: vec4<u32>) -> mat4x4<f32> {
    return mat4x4<f32>(k[at.x], k[at.y], k[at.z], k[at.w]);
}

fn four_values(at: vec4<u32>) -> mat4x4<f32> {
    return mat4x4<f32>(v[at.x], v[at.y], v[at.z], v[at.w]);
}

fn scores(sums: vec4<f32>, i: u32, j: vec4<u32>, end: u32, head: u32) -> vec4<f32> {
    return select(vec4<f32>(NEVER), score4(sums, i, j, head), j < vec4<u32>(end));
}

fn largest(s: vec4<f32>) -> f32 {
    return max(max(s.x, s.y), max(s.z, s.w));
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let part = id.x;
    let group = params.heads / params.kv_heads;
    let pairs = (group + 1u) / 2u;
    let g = id.y / pairs;
    let sequence = id.z;
    if part >= params.splits || g >= params.kv_heads || valid_rows(sequence) == 0u {
        return;
    }
    let head_a = g * group + id.y % pairs * 2u;
    let head_b = min(head_a + 1u, g * group + group - 1u);
    let i = query_position(sequence, 0u);
    let first = max(first_key(sequence, i), part * params.split_keys);
    let end = min(end_key(sequence, i), (part + 1u) * params.split_keys);
    let d4s = params.head_dim / 4u;
    let a_at = ((sequence * params.heads + head_a) * params.splits + part) * (d4s + 1u);
    let b_at = ((sequence * params.heads + head_b) * params.splits + part) * (d4s + 1u);
    if first >= end {
        partial[a_at] = vec4<f32>(NEVER, 0.0, 0.0, 0.0);
        partial[b_at] = vec4<f32>(NEVER, 0.0, 0.0, 0.0);
        for (var d = 1u; d <= d4s; d++) {
            partial[a_at + d] = vec4<f32>(0.0);
            partial[b_at + d] = vec4<f32>(0.0);
        }
        return;
    }
    let kv_at = keys_at(sequence) + g * params.k_head_stride;
    let q_at = (params.q_offset + sequence * params.q_stride) / 4u;
    let qa_at = q_at + head_a * d4s;
    let qb_at = q_at + head_b * d4s;
    let k_at = (params.k_offset + kv_at) / 4u;
    let v_at = (params.v_offset + kv_at) / 4u;
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
    var a0 = vec4<f32>(0.0);
    var a1 = vec4<f32>(0.0);
    var a2 = vec4<f32>(0.0);
    var a3 = vec4<f32>(0.0);
    var b0 = vec4<f32>(0.0);
    var b1 = vec4<f32>(0.0);
    var b2 = vec4<f32>(0.0);
    var b3 = vec4<f32>(0.0);
    for (var d = 0u; d < d4s; d++) {
        let qa = q[qa_at + d];
        let qb = q[qb_at + d];
        let k0 = four_keys(k_at + d + r0);
        a0 += qa * k0;
        b0 += qb * k0;
        let k1 = four_keys(k_at + d + r1);
        a1 += qa * k1;
        b1 += qb * k1;
        let k2 = four_keys(k_at + d + r2);
        a2 += qa * k2;
        b2 += qb * k2;
        let k3 = four_keys(k_at + d + r3);
        a3 += qa * k3;
        b3 += qb * k3;
    }
    a0 = scores(a0, i, j0, end, head_a);
    a1 = scores(a1, i, j1, end, head_a);
    a2 = scores(a2, i, j2, end, head_a);
    a3 = scores(a3, i, j3, end, head_a);
    b0 = scores(b0, i, j0, end, head_b);
    b1 = scores(b1, i, j1, end, head_b);
    b2 = scores(b2, i, j2, end, head_b);
    b3 = scores(b3, i, j3, end, head_b);
    let a_peak = max(max(largest(a0), largest(a1)), max(largest(a2), largest(a3)));
    let b_peak = max(max(largest(b0), largest(b1)), max(largest(b2), largest(b3)));
    a0 = exp(a0 - a_peak);
    a1 = exp(a1 - a_peak);
    a2 = exp(a2 - a_peak);
    a3 = exp(a3 - a_peak);
    b0 = exp(b0 - b_peak);
    b1 = exp(b1 - b_peak);
    b2 = exp(b2 - b_peak);
    b3 = exp(b3 - b_peak);
    partial[a_at] = vec4<f32>(a_peak, dot(a0 + a1 + a2 + a3, vec4<f32>(1.0)), 0.0, 0.0);
    partial[b_at] = vec4<f32>(b_peak, dot(b0 + b1 + b2 + b3, vec4<f32>(1.0)), 0.0, 0.0);
    for (var d = 0u; d < d4s; d++) {
        let v0 = four_values(v_at + d + r0);
        let v1 = four_values(v_at + d + r1);
        let v2 = four_values(v_at + d + r2);
        let v3 = four_values(v_at + d + r3);
        partial[a_at + 1u + d] = v0 * a0 + v1 * a1 + v2 * a2 + v3 * a3;
        partial[b_at + 1u + d] = v0 * b0 + v1 * b1 + v2 * b2 + v3 * b3;
    }
}
