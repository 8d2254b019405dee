// Cuts a picture into patches, each a row in channel, y, x order (that of a flattened convolution weight).
// image [S, S, 3] -> out [P, Kp], P = grid * grid row by row, Kp = 3 * patch * patch rounded up to 4, zeros behind.
// Work split: one invocation per element. Grid: (ceil(Kp / 64), P). Twin: patchify.
#import step
struct PatchifyParams {
    tokens: u32, // P
    image_size: u32, // S, pixels along one side of the picture
    patch_size: u32, // pixels along one side of a patch
    grid: u32, // patches along one side
    width: u32, // Kp
}
@group(1) @binding(0) var<uniform> params: PatchifyParams;
@group(0) @binding(0) var<storage, read> image: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let k = id.x;
    let p = id.y;
    if p >= rows_of(params.tokens) || k >= params.width {
        return;
    }
    let area = params.patch_size * params.patch_size;
    let channel = k / area;
    var value = 0.0;
    if channel < 3u {
        let y = (p / params.grid) * params.patch_size + (k % area) / params.patch_size;
        let x = (p % params.grid) * params.patch_size + (k % area) % params.patch_size;
        value = image[(y * params.image_size + x) * 3u + channel];
    }
    out[p * params.width + k] = value;
}
