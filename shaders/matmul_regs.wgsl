// Linear layer, barrier-free: every invocation holds a tile of 16 rows of x by 4 rows of the weight in registers.
// The tile is spelled out: an array indexed by a loop lies in memory, which made software adapters twice as slow.
// x [T, K], weight [N, K] -> out [T, N]. Grid: (N / 4 / 32, T / 16). Twin: matmul_regs.
#import linear

fn dots(v: vec4<f32>, w0: vec4<f32>, w1: vec4<f32>, w2: vec4<f32>, w3: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(dot(v, w0), dot(v, w1), dot(v, w2), dot(v, w3));
}

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let n = id.x * 4u;
    let t0 = id.y * 16u;
    if n >= params.rows || t0 >= valid_tokens() {
        return;
    }
    // Past the edges the last rows are summed again and not written.
    let last_t = valid_tokens() - 1u;
    let rows = min(vec4<u32>(n, n + 1u, n + 2u, n + 3u), vec4<u32>(params.rows - 1u));
    let a0 = x_offset(min(t0 + 0u, last_t));
    let a1 = x_offset(min(t0 + 1u, last_t));
    let a2 = x_offset(min(t0 + 2u, last_t));
    let a3 = x_offset(min(t0 + 3u, last_t));
    let a4 = x_offset(min(t0 + 4u, last_t));
    let a5 = x_offset(min(t0 + 5u, last_t));
    let a6 = x_offset(min(t0 + 6u, last_t));
    let a7 = x_offset(min(t0 + 7u, last_t));
    let a8 = x_offset(min(t0 + 8u, last_t));
    let a9 = x_offset(min(t0 + 9u, last_t));
    let a10 = x_offset(min(t0 + 10u, last_t));
    let a11 = x_offset(min(t0 + 11u, last_t));
    let a12 = x_offset(min(t0 + 12u, last_t));
    let a13 = x_offset(min(t0 + 13u, last_t));
    let a14 = x_offset(min(t0 + 14u, last_t));
    let a15 = x_offset(min(t0 + 15u, last_t));
    var s0 = vec4<f32>(0.0);
    var s1 = vec4<f32>(0.0);
    var s2 = vec4<f32>(0.0);
    var s3 = vec4<f32>(0.0);
    var s4 = vec4<f32>(0.0);
    var s5 = vec4<f32>(0.0);
    var s6 = vec4<f32>(0.0);
    var s7 = vec4<f32>(0.0);
    var s8 = vec4<f32>(0.0);
    var s9 = vec4<f32>(0.0);
    var s10 = vec4<f32>(0.0);
    var s11 = vec4<f32>(0.0);
    var s12 = vec4<f32>(0.0);
    var s13 = vec4<f32>(0.0);
    var s14 = vec4<f32>(0.0);
    var s15 = vec4<f32>(0.0);
    let k4s = params.k / 4u;
    for (var block = 0u; block * 8u < k4s; block++) {
        let scale0 = weight_scale(rows.x, block);
        let scale1 = weight_scale(rows.y, block);
        let scale2 = weight_scale(rows.z, block);
        let scale3 = weight_scale(rows.w, block);
        let end = min(block * 8u + 8u, k4s);
        for (var k4 = block * 8u; k4 < end; k4++) {
            let w0 = weight4(rows.x, k4) * scale0;
            let w1 = weight4(rows.y, k4) * scale1;
            let w2 = weight4(rows.z, k4) * scale2;
            let w3 = weight4(rows.w, k4) * scale3;
            s0 += dots(x[a0 + k4], w0, w1, w2, w3);
            s1 += dots(x[a1 + k4], w0, w1, w2, w3);
            s2 += dots(x[a2 + k4], w0, w1, w2, w3);
            s3 += dots(x[a3 + k4], w0, w1, w2, w3);
            s4 += dots(x[a4 + k4], w0, w1, w2, w3);
            s5 += dots(x[a5 + k4], w0, w1, w2, w3);
            s6 += dots(x[a6 + k4], w0, w1, w2, w3);
            s7 += dots(x[a7 + k4], w0, w1, w2, w3);
            s8 += dots(x[a8 + k4], w0, w1, w2, w3);
            s9 += dots(x[a9 + k4], w0, w1, w2, w3);
            s10 += dots(x[a10 + k4], w0, w1, w2, w3);
            s11 += dots(x[a11 + k4], w0, w1, w2, w3);
            s12 += dots(x[a12 + k4], w0, w1, w2, w3);
            s13 += dots(x[a13 + k4], w0, w1, w2, w3);
            s14 += dots(x[a14 + k4], w0, w1, w2, w3);
            s15 += dots(x[a15 + k4], w0, w1, w2, w3);
        }
    }
    // Told once for all rows, since a compiler would write the epilogue out for each.
    var sums = array<vec4<f32>, 16>(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15);
    for (var i = 0u; i < 16u && t0 + i < valid_tokens(); i++) {
        let row = sums[i];
        finish_pair(t0 + i, n, row.xy);
        finish_pair(t0 + i, n + 2u, row.zw);
    }
}
