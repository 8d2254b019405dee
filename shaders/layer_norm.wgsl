// LayerNorm: out = (x - mean) / sqrt(var + eps) * weight + bias, over the width, in f32.
// x [T, D], weight [D], bias [D] -> out [T, D]. Work split: a workgroup, or one invocation, a row. Twin: layer_norm.
#import norm
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let t = group.x;
    let d4s = select(0u, params.width / 4u, t < valid_tokens());
    let x_at = x_offset(t);
    var sum = 0.0;
    for (var i = lane; i < d4s; i += LANES) {
        sum += dot(x[x_at + i], vec4<f32>(1.0));
    }
    let mean = row_sum(lane, sum) / f32(params.width);
    var squares = 0.0;
    for (var i = lane; i < d4s; i += LANES) {
        let centred = x[x_at + i] - mean;
        squares += dot(centred, centred);
    }
    let scale = inverseSqrt(row_sum(lane, squares) / f32(params.width) + params.eps);
    for (var i = lane; i < d4s; i += LANES) {
        out[t * d4s + i] = (x[x_at + i] - mean) * scale * weight[i] + bias[i];
    }
}
