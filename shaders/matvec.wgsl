// Linear layer for few rows: a workgroup of 64 shares the sums of one row of x with 4 rows of the weight.
// x [T, K], weight [N, K] -> out [T, N]. Grid: (ceil(N / 4) folded over x and z, T in y). Twin: matvec.
#import linear
alias Sum = vec4<f32>;
#import reduce

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let n = (group.x + group.z * groups.x) * 4u;
    let t = group.y;
    // Past the edge the last row is summed again and not written.
    let last = params.rows - 1u;
    let rows = min(vec4<u32>(n, n + 1u, n + 2u, n + 3u), vec4<u32>(last));
    let x_at = x_offset(t);
    let k4s = select(0u, params.k / 4u, t < valid_tokens() && n < params.rows);
    var sum = vec4<f32>(0.0);
    for (var k4 = lane; k4 < k4s; k4 += 64u) {
        let v = x[x_at + k4];
        let block = k4 / 8u;
        sum += vec4<f32>(
            dot(v, weight4(rows.x, k4)) * weight_scale(rows.x, block),
            dot(v, weight4(rows.y, k4)) * weight_scale(rows.y, block),
            dot(v, weight4(rows.z, k4)) * weight_scale(rows.z, block),
            dot(v, weight4(rows.w, k4)) * weight_scale(rows.w, block),
        );
    }
    let total = workgroup_sum(lane, sum);
    if lane == 0u && t < valid_tokens() && n < params.rows {
        finish_pair(t, n, total.xy);
        finish_pair(t, n + 2u, total.zw);
    }
}
