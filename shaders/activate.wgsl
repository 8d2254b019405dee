// Activation: x [T, D] -> out [T, D] = act(x); gated, x [T, 2D] of neighbouring pairs (gate, up) -> out = act(gate) * up.
// Work split: one invocation per element of out, rows in y. Grid: (ceil(width / 64), T). Twin: activate.
#import step
#import activation
struct ActivateParams {
    tokens: u32, // T, most rows
    width: u32, // D, elements of a row of out
    act: u32, // code of the function
    gated: u32, // 1 takes pairs
    cap: f32, // c of softcap
}
@group(1) @binding(0) var<uniform> params: ActivateParams;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.width || id.y >= rows_of(params.tokens) {
        return;
    }
    let at = id.y * params.width + id.x;
    let gated = params.gated == 1u;
    let first = select(at, 2u * at, gated);
    var y = activate(params.act, x[first], params.cap);
    if gated {
        y *= x[first + 1u];
    }
    out[at] = y;
}
