// Linear layer for few rows, barrier-free: every invocation sums one row of x with 8 rows of the weight.
// The 8 are spelled out: an array indexed by a loop lies in memory, which is slow on software adapters. Workgroups are
// small so that the cores share narrow layers evenly.
// x [T, K], weight [N, K] -> out [T, N]. Grid: (N / 8 / 8, T). Twin: matvec_serial.
#import linear

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let n = id.x * 8u;
    let t = id.y;
    if n >= params.rows || t >= valid_tokens() {
        return;
    }
    // Past the edge the last row is summed again and not written.
    let last = params.rows - 1u;
    let r0 = n;
    let r1 = min(n + 1u, last);
    let r2 = min(n + 2u, last);
    let r3 = min(n + 3u, last);
    let r4 = min(n + 4u, last);
    let r5 = min(n + 5u, last);
    let r6 = min(n + 6u, last);
    let r7 = min(n + 7u, last);
    var s0 = 0.0;
    var s1 = 0.0;
    var s2 = 0.0;
    var s3 = 0.0;
    var s4 = 0.0;
    var s5 = 0.0;
    var s6 = 0.0;
    var s7 = 0.0;
    let x_at = x_offset(t);
    let k4s = params.k / 4u;
    for (var block = 0u; block * 8u < k4s; block++) {
        let end = min(block * 8u + 8u, k4s);
        var b0 = vec4<f32>(0.0);
        var b1 = vec4<f32>(0.0);
        var b2 = vec4<f32>(0.0);
        var b3 = vec4<f32>(0.0);
        var b4 = vec4<f32>(0.0);
        var b5 = vec4<f32>(0.0);
        var b6 = vec4<f32>(0.0);
        var b7 = vec4<f32>(0.0);
        for (var k4 = block * 8u; k4 < end; k4++) {
            let v = x[x_at + k4];
            b0 += v * weight4(r0, k4);
            b1 += v * weight4(r1, k4);
            b2 += v * weight4(r2, k4);
            b3 += v * weight4(r3, k4);
            b4 += v * weight4(r4, k4);
            b5 += v * weight4(r5, k4);
            b6 += v * weight4(r6, k4);
            b7 += v * weight4(r7, k4);
        }
        s0 += dot(b0, vec4<f32>(weight_scale(r0, block)));
        s1 += dot(b1, vec4<f32>(weight_scale(r1, block)));
        s2 += dot(b2, vec4<f32>(weight_scale(r2, block)));
        s3 += dot(b3, vec4<f32>(weight_scale(r3, block)));
        s4 += dot(b4, vec4<f32>(weight_scale(r4, block)));
        s5 += dot(b5, vec4<f32>(weight_scale(r5, block)));
        s6 += dot(b6, vec4<f32>(weight_scale(r6, block)));
        s7 += dot(b7, vec4<f32>(weight_scale(r7, block)));
    }
    // Told once for all pairs, since a compiler would write the epilogue out for each.
    var pairs = array<vec2<f32>, 4>(vec2<f32>(s0, s1), vec2<f32>(s2, s3), vec2<f32>(s4, s5), vec2<f32>(s6, s7));
    for (var i = 0u; i < 4u; i++) {
        finish_pair(t, n + 2u * i, pairs[i]);
    }
}
