// Decode attention over one part of the keys, barrier-free: the unnormalised result of a query over its keys of a part.
// q [1, H, K], caches -> partial [H, splits, K + 4]: peak, sum, 0, 0, then the values; an empty part has sum 0.
// Work split: one invocation per part and head. Grid: (ceil(splits / 8), H). Twin: attention_split_serial.
#import attention
#import attend_serial
@group(0) @binding(3) var<storage, read_write> partial: array<vec4<f32>>;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let part = id.x;
    let head = id.y;
    if part >= params.splits || valid_tokens() == 0u {
        return;
    }
    let i = query_position(0u);
    let first = max(first_key(i), part * params.split_keys);
    let end = min(end_key(i), (part + 1u) * params.split_keys);
    let state = attend(0u, head, first, max(first, end));
    let d4s = params.head_dim / 4u;
    let at = (head * params.splits + part) * (d4s + 1u);
    partial[at] = vec4<f32>(state.peak, state.sum, 0.0, 0.0);
    for (var d = 0u; d < d4s; d++) {
        partial[at + 1u + d] = acc[d];
    }
}
