// Puts image tokens among text: out[t] = features[ids[t] & 0x7fffffff] where the top bit of ids[t] is set.
// ids [T], features [R, D] -> out [T, D]. Work split: one invocation per four elements. Grid: (ceil(D / 4 / 64), T).
// Twin: place_rows.
#import step
struct PlaceRowsParams {
    tokens: u32, // T, most ids
    width: u32, // D
    feature_rows: u32, // R
}
@group(1) @binding(0) var<uniform> params: PlaceRowsParams;
@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read> features: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let d4s = params.width / 4u;
    let t = id.y;
    if t >= rows_of(params.tokens) || id.x >= d4s {
        return;
    }
    let row = ids[t] & 0x7fffffffu;
    if ids[t] >= 0x80000000u && row < params.feature_rows {
        out[t * d4s + id.x] = features[row * d4s + id.x];
    }
}
