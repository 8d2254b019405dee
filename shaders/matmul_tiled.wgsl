// Linear layer: a workgroup of 16 x 16 computes a tile of 64 rows of x by 64 rows of the weight, 4 x 4 an invocation,
// from slices of 16 elements of K in workgroup memory. With HALF the weight's slice is of f16, which holds f16 weights
// and whole numbers of a block exactly; the scale of their block, of which a slice is half, comes after the sum.
// x [T, K], weight [N, K] -> out [T, N]. Grid: (ceil(N / 64), ceil(T / 64)). Twin: matmul_tiled.
#ifdef HALF
enable f16;
#endif
#import linear
const TILE: u32 = 64u;
// Slices lie [k / 4, row], vectors along K: each is written whole by one invocation, since writes to its components by
// several would race, and neighbours read neighbouring vectors.
var<workgroup> x_slice: array<array<vec4<f32>, 64>, 4>;
#ifdef HALF
var<workgroup> w_slice: array<array<vec4<f16>, 64>, 4>;
var<workgroup> w_scale: array<f32, 64>;
#else
var<workgroup> w_slice: array<array<vec4<f32>, 64>, 4>;
#endif

// A row's products with four columns over four elements of K.
fn products(x: vec4<f32>, w: array<vec4<f32>, 4>) -> vec4<f32> {
    return vec4<f32>(dot(x, w[0]), dot(x, w[1]), dot(x, w[2]), dot(x, w[3]));
}

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
    // Computing: rows 4y..4y+3 by two pairs of columns.
    let column = local.x * 2u;
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
            w_scale[row] = block_scale(n, first / 8u);
        }
#else
        var w = vec4<f32>(0.0);
        if k4 < k4s {
            v = x[x_at + k4];
            w = weight4(n, k4) * weight_scale(n, k4 / 8u);
        }
#endif
        x_slice[q][row] = v;
        w_slice[q][row] = w;
        workgroupBarrier();
#ifdef HALF
        var parts: array<vec4<f32>, 4>;
        for (var k = 0u; k < 4u; k++) {
            let ws = array(
                vec4<f32>(w_slice[k][column]), vec4<f32>(w_slice[k][column + 1u]),
                vec4<f32>(w_slice[k][column + 32u]), vec4<f32>(w_slice[k][column + 33u]),
            );
            for (var i = 0u; i < 4u; i++) {
                parts[i] += products(x_slice[k][local.y * 4u + i], ws);
            }
        }
        let scale = vec4<f32>(w_scale[column], w_scale[column + 1u], w_scale[column + 32u], w_scale[column + 33u]);
        for (var i = 0u; i < 4u; i++) {
            sums[i] += parts[i] * scale;
        }
#else
        for (var k = 0u; k < 4u; k++) {
            let ws = array(
                w_slice[k][column], w_slice[k][column + 1u], w_slice[k][column + 32u], w_slice[k][column + 33u],
            );
            for (var i = 0u; i < 4u; i++) {
                sums[i] += products(x_slice[k][local.y * 4u + i], ws);
            }
        }
#endif
        workgroupBarrier();
    }
    for (var i = 0u; i < 4u; i++) {
        let row_out = t0 + local.y * 4u + i;
        if row_out < tokens {
            finish_pair(row_out, n0 + column, sums[i].xy);
            finish_pair(row_out, n0 + column + 32u, sums[i].zw);
        }
    }
}
