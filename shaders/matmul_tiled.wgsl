// Linear layer: a workgroup of 16 x 16 computes a tile of 64 rows of x by 64 rows of the weight, 4 x 4 an invocation,
// from slices of 16 elements of K in workgroup memory. With HALF the weight's slice is of f16, which holds f16 weights
// and whole numbers of a block exactly; the scale of their block, of which a slice is half, comes after the sum.
// x [T, K], weight [N, K] -> out [T, N]. Grid: (ceil(N / 64), ceil(T / 64)). Twin: matmul_tiled.
#ifdef HALF
enable f16;
#endif
#import linear
const TILE: u32 = 64u;
// Slices lie transposed, [k, row], so that an invocation reads four neighbouring rows at once.
var<workgroup> x_slice: array<array<vec4<f32>, 16>, 16>;
#ifdef HALF
var<workgroup> w_slice: array<array<vec4<f16>, 16>, 16>;
var<workgroup> w_scale: array<vec4<f32>, 16>;
#else
var<workgroup> w_slice: array<array<vec4<f32>, 16>, 16>;
#endif

@compute @workgroup_size(16, 16)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let tokens = valid_tokens();
    let t0 = group.y * TILE;
    let n0 = group.x * TILE;
    // Loading: invocation `lane` brings elements 4q..4q+3 of row `lane / 4` of both slices.
    let row = lane / 4u;
    let q = lane & 3u;
    let t = min(t0 + row, max(tokens, 1u) - 1u);
    let n = min(n0 + row, params.rows - 1u);
    let x_at = x_offset(t);
    let k4s = params.k / 4u;
    var sums: array<vec4<f32>, 4>;
    for (var first = 0u; first < k4s; first += 4u) {
        let k4 = first + q;
        var v = vec4<f32>(0.0);
#ifdef HALF
        var w = vec4<f16>(0.0);
        if k4 < k4s {
            v = x[x_at + k4];
            w = vec4<f16>(weight4(n, k4) * UNIT);
        }
        if q == 0u {
            w_scale[row / 4u][row & 3u] = block_scale(n, first / 8u);
        }
#else
        var w = vec4<f32>(0.0);
        if k4 < k4s {
            v = x[x_at + k4];
            w = weight4(n, k4) * weight_scale(n, k4 / 8u);
        }
#endif
        for (var i = 0u; i < 4u; i++) {
            x_slice[q * 4u + i][row / 4u][row & 3u] = v[i];
            w_slice[q * 4u + i][row / 4u][row & 3u] = w[i];
        }
        workgroupBarrier();
#ifdef HALF
        var parts: array<vec4<f32>, 4>;
        for (var k = 0u; k < 16u; k++) {
            let xs = x_slice[k][local.y];
            let ws = vec4<f32>(w_slice[k][local.x]);
            for (var i = 0u; i < 4u; i++) {
                parts[i] += xs[i] * ws;
            }
        }
        for (var i = 0u; i < 4u; i++) {
            sums[i] += parts[i] * w_scale[local.x];
        }
#else
        for (var k = 0u; k < 16u; k++) {
            let xs = x_slice[k][local.y];
            let ws = w_slice[k][local.x];
            for (var i = 0u; i < 4u; i++) {
                sums[i] += xs[i] * ws;
            }
        }
#endif
        workgroupBarrier();
    }
    for (var i = 0u; i < 4u; i++) {
        let row_out = t0 + local.y * 4u + i;
        if row_out < tokens {
            let column = n0 + local.x * 4u;
            finish_pair(row_out, column, sums[i].xy);
            finish_pair(row_out, column + 2u, sums[i].zw);
        }
    }
}
