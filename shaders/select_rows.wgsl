// Some rows of every sequence: out[s * N + n] = x[s * R + first + n].
// x [B * R, D] -> out [B * N, D]. Work split: one invocation per four elements, rows of out in y.
// Grid: (ceil(D / 4 / 64), B * N). Twin: select_rows.
#import step
struct SelectRowsParams {
    tokens: u32, // B * N
    width: u32, // D
    sequence_rows: u32, // R, rows of x of each sequence
    first: u32, // the first of them that is taken
    rows: u32, // N, how many are taken
}
@group(1) @binding(0) var<uniform> params: SelectRowsParams;
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let d4s = params.width / 4u;
    let t = id.y;
    if t >= rows_of(params.tokens) || id.x >= d4s {
        return;
    }
    let row = t / params.rows * params.sequence_rows + params.first + t % params.rows;
    out[t * d4s + id.x] = x[row * d4s + id.x];
}
