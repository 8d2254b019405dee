// The barrier-free tile of the linear family: one invocation sums TILE_ROWS rows of x with four rows of the weight.
#import linear

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let tokens = valid_tokens();
    let n = id.x * 4u;
    let t0 = id.y * TILE_ROWS;
    if n >= params.rows || t0 >= tokens {
        return;
    }
    // Past the edge the last row is summed again and not written.
    let last = params.rows - 1u;
    let rows = min(vec4<u32>(n, n + 1u, n + 2u, n + 3u), vec4<u32>(last));
    var x_at: array<u32, TILE_ROWS>;
    var sums: array<vec4<f32>, TILE_ROWS>;
    for (var i = 0u; i < TILE_ROWS; i++) {
        x_at[i] = x_offset(min(t0 + i, tokens - 1u));
        sums[i] = vec4<f32>(0.0);
    }
    let k4s = params.k / 4u;
    for (var block = 0u; block * 8u < k4s; block++) {
        let s0 = weight_scale(rows.x, block);
        let s1 = weight_scale(rows.y, block);
        let s2 = weight_scale(rows.z, block);
        let s3 = weight_scale(rows.w, block);
        let end = min(block * 8u + 8u, k4s);
        for (var k4 = block * 8u; k4 < end; k4++) {
            let w0 = weight4(rows.x, k4) * s0;
            let w1 = weight4(rows.y, k4) * s1;
            let w2 = weight4(rows.z, k4) * s2;
            let w3 = weight4(rows.w, k4) * s3;
            for (var i = 0u; i < TILE_ROWS; i++) {
                let v = x[x_at[i] + k4];
                sums[i] += vec4<f32>(dot(v, w0), dot(v, w1), dot(v, w2), dot(v, w3));
            }
        }
    }
    for (var i = 0u; i < TILE_ROWS; i++) {
        if t0 + i < tokens {
            finish_pair(t0 + i, n, sums[i].xy);
            finish_pair(t0 + i, n + 2u, sums[i].zw);
        }
    }
}
