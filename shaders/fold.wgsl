// Sums overlapping patches into a picture, plus a bias: x [H * W, C * n * n] -> out [H' * W', C] with
// H' = (H - 1) * stride + n - 2 * padding. A transposed convolution is a matmul and this.
// Work split: one invocation per element of out. Grid: (ceil(C / 64), H' * W'). Twin: fold.
#import step
struct FoldParams {
    tokens: u32, // H' * W'
    height: u32, // H
    width: u32, // W
    out_width: u32, // W'
    channels: u32, // C
    kernel_size: u32, // n
    stride: u32, // pixels of out from one patch to the next
    padding: u32, // pixels cut off along every border
}
@group(1) @binding(0) var<uniform> params: FoldParams;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> bias: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.channels || id.y >= rows_of(params.tokens) {
        return;
    }
    let y = id.y / params.out_width + params.padding;
    let left = id.y % params.out_width + params.padding;
    let n = params.kernel_size;
    var sum = bias[id.x];
    for (var dy = y % params.stride; dy < n && dy <= y; dy += params.stride) {
        let from_y = (y - dy) / params.stride;
        for (var dx = left % params.stride; dx < n && dx <= left; dx += params.stride) {
            let from_x = (left - dx) / params.stride;
            if from_y < params.height && from_x < params.width {
                sum += x[((from_y * params.width + from_x) * params.channels + id.x) * n * n + dy * n + dx];
            }
        }
    }
    out[id.y * params.channels + id.x] = sum;
}
