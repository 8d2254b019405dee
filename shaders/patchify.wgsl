// Cuts pictures into patches, each a row in channel, y, x order (that of a flattened convolution weight).
// image [B * Y * X, 3] -> out [B * P, Kp], P = rows * columns of the grid, picture by picture and row by row, Kp = 3 * patch *
// patch rounded up to 4, zeros behind. Work split: one invocation per element. Grid: (ceil(Kp / 64), B * P). Twin: patchify.
#import step
struct PatchifyParams {
    tokens: u32, // B * P
    image_height: u32, // Y, pixels of a picture from top to bottom
    image_width: u32, // X, pixels of a picture from left to right
    patch_size: u32, // pixels along one side of a patch
    grid_rows: u32, // patches from top to bottom
    grid_columns: u32, // patches from left to right
    width: u32, // Kp
}
@group(1) @binding(0) var<uniform> params: PatchifyParams;
@group(0) @binding(0) var<storage, read> image: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let k = id.x;
    let t = id.y;
    if t >= rows_of(params.tokens) || k >= params.width {
        return;
    }
    let area = params.patch_size * params.patch_size;
    let channel = k / area;
    var value = 0.0;
    if channel < 3u {
        let patches = params.grid_rows * params.grid_columns;
        let p = t % patches;
        let y = (p / params.grid_columns) * params.patch_size + (k % area) / params.patch_size;
        let x = (p % params.grid_columns) * params.patch_size + (k % area) % params.patch_size;
        value = image[((t / patches * params.image_height + y) * params.image_width + x) * 3u + channel];
    }
    out[t * params.width + k] = value;
}
