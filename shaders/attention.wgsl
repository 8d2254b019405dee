// Attention: out[t, h] = softmax(softcap(scale * q k^T) + bias) v over the keys that t sees, softmax online in f32.
// q [T, H, K], k and v by the strides of the parameters, bias [rows, stride] -> out [T, H * K].
// Work split: a workgroup of 8 x 8 per 8 queries of a head and sequence. Keys come 8 at a time: invocation (r, c) scores query r with
// key c, then adds the values of dimensions 4c, 4c + 32, … to query r. Grid: (ceil(R / 8), H, T / R). Twin: attention.
#import scores
#import head_dim
@group(0) @binding(0) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4<f32>>;

const NEVER: f32 = -1e30;
const SIDE: u32 = 8u;
const OWN4: u32 = HEAD4 / SIDE;
// Keys, then values, of the 8 rows in hand.
var<workgroup> rows: array<vec4<f32>, SIDE * HEAD4>;
var<workgroup> scores: array<array<f32, SIDE>, SIDE>;

@compute @workgroup_size(8, 8)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let sequence = group.z;
    let tokens = valid_rows(sequence);
    let r0 = group.x * SIDE;
    let head = group.y;
    let c = local.x;
    let r = local.y;
    let own = min(r0 + r, max(tokens, 1u) - 1u);
    let t = row_of(sequence, own);
    let i = query_position(sequence, own);
    let own_first = first_key(sequence, i);
    let own_end = end_key(sequence, i);
    let d4s = params.head_dim / 4u;
    let g = head / (params.heads / params.kv_heads);
    let keys = keys_at(sequence);
    let q_at = (params.q_offset + t * params.q_stride) / 4u + head * d4s;
    let k_at = (params.k_offset + keys + g * params.k_head_stride) / 4u;
    let v_at = (params.v_offset + keys + g * params.k_head_stride) / 4u;
    let stride = params.k_stride / 4u;
    // The keys that any of the 8 queries sees; the bounds rise with the query.
    let first = query_position(sequence, r0);
    let last = query_position(sequence, min(r0 + SIDE, max(tokens, 1u)) - 1u);
    let all_first = first_key(sequence, first);
    let all_end = select(0u, max(end_key(sequence, first), end_key(sequence, last)), r0 < tokens);
    var acc: array<vec4<f32>, OWN4>;
    var peak = NEVER;
    var sum = 0.0;
    for (var j0 = all_first; j0 < all_end; j0 += SIDE) {
        for (var n = lane; n < SIDE * d4s; n += SIDE * SIDE) {
            rows[n] = k[k_at + min(j0 + n / d4s, all_end - 1u) * stride + n % d4s];
        }
        workgroupBarrier();
        let j = j0 + c;
        var own_score = NEVER;
        if j >= own_first && j < own_end {
            var dots = 0.0;
            for (var d = 0u; d < d4s; d++) {
                dots += dot(q[q_at + d], rows[c * d4s + d]);
            }
            own_score = score(dots, i, j, head);
        }
        scores[r][c] = own_score;
        workgroupBarrier();
        for (var n = lane; n < SIDE * d4s; n += SIDE * SIDE) {
            rows[n] = v[v_at + min(j0 + n / d4s, all_end - 1u) * stride + n % d4s];
        }
        workgroupBarrier();
        var tile_peak = peak;
        for (var n = 0u; n < SIDE; n++) {
            tile_peak = max(tile_peak, scores[r][n]);
        }
        let keep = exp(peak - tile_peak);
        peak = tile_peak;
        sum *= keep;
        for (var d = 0u; d < OWN4; d++) {
            acc[d] *= keep;
        }
        for (var n = 0u; n < SIDE; n++) {
            if scores[r][n] > NEVER {
                let p = exp(scores[r][n] - peak);
                sum += p;
                for (var d = 0u; d < OWN4; d++) {
                    if c + d * SIDE < d4s {
                        acc[d] += p * rows[n * d4s + c + d * SIDE];
                    }
                }
            }
        }
        workgroupBarrier();
    }
    if r0 + r < tokens {
        for (var d = 0u; d < OWN4; d++) {
            if c + d * SIDE < d4s {
                out[(t * params.heads + head) * d4s + c + d * SIDE] = acc[d] / divisor(sum);
            }
        }
    }
}
