// Sum: a [T, D], b [N, D] -> out [T, D] = a + b, the rows of b over and over where N is less than T.
// Work split: one invocation per element, rows in y. Grid: (ceil(width / 64), T). Twin: add.
#import step
struct AddParams {
    tokens: u32, // T, most rows
    width: u32, // D
    b_rows: u32, // N
    b_first: u32, // row of b that is added to row 0
}
@group(1) @binding(0) var<uniform> params: AddParams;
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < params.width && id.y < rows_of(params.tokens) {
        let at = id.y * params.width + id.x;
        let b_row = (params.b_first + id.y) % params.b_rows;
        out[at] = a[at] + b[b_row * params.width + id.x];
    }
}
