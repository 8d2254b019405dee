// Rows in front of those of every sequence: out[s] = prefix, then x[s].
// prefix [N, D], x [B * P, D] -> out [B * (N + P), D]. P may be 0: then x is not read, and out is prefix B times.
// Work split: one invocation per four elements, rows of out in y. Grid: (ceil(D / 4 / 64), B * (N + P)). Twin: prepend.
#import step
struct PrependParams {
    tokens: u32, // B * (N + P)
    width: u32, // D
    prefix_rows: u32, // N
    x_rows: u32, // P, rows of x of each sequence
}
@group(1) @binding(0) var<uniform> params: PrependParams;
@group(0) @binding(0) var<storage, read> prefix: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let d4s = params.width / 4u;
    let t = id.y;
    if t >= rows_of(params.tokens) || id.x >= d4s {
        return;
    }
    let each = params.prefix_rows + params.x_rows;
    let row = t % each;
    if row < params.prefix_rows {
        out[t * d4s + id.x] = prefix[row * d4s + id.x];
    } else {
        out[t * d4s + id.x] = x[(t / each * params.x_rows + row - params.prefix_rows) * d4s + id.x];
    }
}
