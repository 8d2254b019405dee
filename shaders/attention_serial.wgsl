// Attention, barrier-free: out[t, h] = softmax(softcap(scale * q k^T) + bias) v over the keys that t sees, softmax online in f32.
// q [T, H, K], k and v by the strides of the parameters, bias [rows, stride] -> out [T, H * K].
// Work split: one invocation per query and head. Grid: (ceil(R / 32), H, T / R). Twin: attention_serial.
#import scores
#import head_dim
@group(0) @binding(0) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4<f32>>;

const NEVER: f32 = -1e30;

struct Attended {
    peak: f32,
    sum: f32,
}
var<private> acc: array<vec4<f32>, HEAD4>;

// Online softmax of one query over a run of keys; leaves the unnormalised values in acc.
fn attend(sequence: u32, t: u32, i: u32, head: u32) -> Attended {
    let first = first_key(sequence, i);
    let end = end_key(sequence, i);
    let d4s = params.head_dim / 4u;
    let g = head / (params.heads / params.kv_heads);
    let keys = keys_at(sequence);
    let q_at = (params.q_offset + t * params.q_stride) / 4u + head * d4s;
    let k_at = (params.k_offset + keys + g * params.k_head_stride) / 4u;
    let v_at = (params.v_offset + keys + g * params.k_head_stride) / 4u;
    let stride = params.k_stride / 4u;
    var query: array<vec4<f32>, HEAD4>;
    for (var d = 0u; d < d4s; d++) {
        query[d] = q[q_at + d];
        acc[d] = vec4<f32>(0.0);
    }
    var state = Attended(NEVER, 0.0);
    // Four keys at a time share one rescaling of acc.
    for (var j = first; j < end; j += 4u) {
        let rows = min(vec4<u32>(j, j + 1u, j + 2u, j + 3u), vec4<u32>(end - 1u));
        let at = k_at + rows * stride;
        var dots = vec4<f32>(0.0);
        for (var d = 0u; d < d4s; d++) {
            let x = query[d];
            dots += vec4<f32>(dot(x, k[at.x + d]), dot(x, k[at.y + d]), dot(x, k[at.z + d]), dot(x, k[at.w + d]));
        }
        let four = vec4<u32>(j, j + 1u, j + 2u, j + 3u);
        let scores = select(vec4<f32>(NEVER), score4(dots, i, four, head), four < vec4<u32>(end));
        let peak = max(state.peak, max(max(scores.x, scores.y), max(scores.z, scores.w)));
        let keep = exp(state.peak - peak);
        let p = exp(scores - peak);
        state = Attended(peak, state.sum * keep + dot(p, vec4<f32>(1.0)));
        let value_at = v_at + rows * stride;
        for (var d = 0u; d < d4s; d++) {
            acc[d] = acc[d] * keep + p.x * v[value_at.x + d] + p.y * v[value_at.y + d] + p.z * v[value_at.z + d] + p.w * v[value_at.w + d];
        }
    }
    return state;
}

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let head = id.y;
    let sequence = id.z;
    if id.x >= valid_rows(sequence) {
        return;
    }
    let t = row_of(sequence, id.x);
    let state = attend(sequence, t, query_position(sequence, id.x), head);
    let d4s = params.head_dim / 4u;
    for (var d = 0u; d < d4s; d++) {
        out[(t * params.heads + head) * d4s + d] = acc[d] / divisor(state.sum);
    }
}
