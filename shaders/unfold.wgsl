// The neighbourhoods of a convolution as rows: x [H * W, C] -> out [H * W, C * n * n], channel, y, x within a row, zeros
// beyond the border (as much as keeps the size). A convolution is this and a matmul.
// Work split: one invocation per element. Grid: (ceil(C * n * n / 64), H * W). Twin: unfold.
#import step
struct UnfoldParams {
    tokens: u32, // H * W
    height: u32, // H
    width: u32, // W
    channels: u32, // C
    kernel_size: u32, // n, odd
}
@group(1) @binding(0) var<uniform> params: UnfoldParams;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let n = params.kernel_size;
    let columns = params.channels * n * n;
    if id.x >= columns || id.y >= rows_of(params.tokens) {
        return;
    }
    // Outside is a large number too: below 0 wraps.
    let from_y = id.y / params.width + (id.x / n) % n - n / 2u;
    let from_x = id.y % params.width + id.x % n - n / 2u;
    var value = 0.0;
    if from_y < params.height && from_x < params.width {
        value = x[(from_y * params.width + from_x) * params.channels + id.x / (n * n)];
    }
    out[id.y * columns + id.x] = value;
}
