// Sum: a [T, D], b [T, D] -> out [T, D].
// Work split: one invocation per element, rows in y. Grid: (ceil(width / 64), T). Twin: add.
#import step
struct AddParams {
    tokens: u32, // T, most rows
    width: u32, // D
}
@group(1) @binding(0) var<uniform> params: AddParams;
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < params.width && id.y < rows_of(params.tokens) {
        let at = id.y * params.width + id.x;
        out[at] = a[at] + b[at];
    }
}
