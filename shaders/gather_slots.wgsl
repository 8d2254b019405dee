// Copies rows of the KV cache between its slots: for every slot s of which sequence[s].slot is another one, rows prefix ..
// position of that one. A slot that is read must keep its own rows (sequence[s].slot = s), since copies have no order;
// whoever makes the step sees to that.
// cache [slots, G, capacity, K] in place. Work split: one invocation per four elements of a head's rows, heads in y, slots
// in z. Grid: (ceil(capacity * K / 4 / 64), G, slots). Twin: gather_slots.
#import step
struct GatherSlotsParams {
    slots: u32, // slots of the cache
    kv_heads: u32, // G
    capacity: u32, // rows of a slot
    head_dim: u32, // K
}
@group(1) @binding(0) var<uniform> params: GatherSlotsParams;
@group(0) @binding(0) var<storage, read_write> cache: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let d4s = params.head_dim / 4u;
    if id.z >= min(params.slots, step.sequences) {
        return;
    }
    let source = step.sequence[id.z];
    let row = id.x / d4s;
    if source.slot == id.z || row < source.prefix || row >= min(source.position, params.capacity) {
        return;
    }
    let read_at = (source.slot * params.kv_heads + id.y) * params.capacity * d4s + id.x;
    let write_at = (id.z * params.kv_heads + id.y) * params.capacity * d4s + id.x;
    cache[write_at] = cache[read_at];
}
