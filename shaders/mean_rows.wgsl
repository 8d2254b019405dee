// Mean of the rows of every sequence from one on: out[s] = sum over r from skip to R of x[s * R + r] / (R - skip).
// x [B * R, D] -> out [B, D]. Work split: one invocation per four elements, sequences in y.
// Grid: (ceil(D / 4 / 32), B). Twin: mean_rows.
#import step
struct MeanRowsParams {
    tokens: u32, // B
    width: u32, // D
    sequence_rows: u32, // R, rows of x of each sequence
    skip: u32, // rows in front that do not count; less than R
}
@group(1) @binding(0) var<uniform> params: MeanRowsParams;
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let d4s = params.width / 4u;
    if id.y >= rows_of(params.tokens) || id.x >= d4s {
        return;
    }
    let first = id.y * params.sequence_rows * d4s + id.x;
    var sum = vec4<f32>(0.0);
    for (var r = params.skip; r < params.sequence_rows; r++) {
        sum += x[first + r * d4s];
    }
    out[id.y * d4s + id.x] = sum / f32(params.sequence_rows - params.skip);
}
