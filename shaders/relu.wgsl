// ReLU: x [T, D] -> out [T, D], out = max(x, 0).
// Work split: one invocation per element, rows in y. Grid: (ceil(width / 64), T). Twin: relu.
#import elementwise
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if inside(id) {
        let at = id.y * params.width + id.x;
        out[at] = max(x[at], 0.0);
    }
}
