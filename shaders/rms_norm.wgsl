// RMSNorm: out = residual + x / sqrt(mean(x^2) + eps) * (1 + weight), over the width, in f32.
// x [T, D], weight [D], residual [T, D] -> out [T, D]. Work split: a workgroup, or one invocation, a row. Twin: rms_norm.
#import norm
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> residual_in: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let t = group.x;
    let d4s = select(0u, params.width / 4u, t < valid_tokens());
    let x_at = x_offset(t);
    var squares = 0.0;
    for (var i = lane; i < d4s; i += LANES) {
        let v = x[x_at + i];
        squares += dot(v, v);
    }
    let scale = inverseSqrt(row_sum(lane, squares) / f32(params.width) + params.eps);
    for (var i = lane; i < d4s; i += LANES) {
        var y = x[x_at + i] * scale * (weight[i] + 1.0);
        if params.residual == 1u {
            y += residual_in[t * d4s + i];
        }
        out[t * d4s + i] = y;
    }
}
