// The k largest logits of a chunk with their indices, sorted.
// logits [T, count] -> candidates [T, chunks, k, 2]: value, index; missing ones have index 0xffffffff.
// Work split: one invocation per chunk, rows in y. Grid: (ceil(chunks / 32), T). Twin: top_k_first.
#import top_k
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> candidates: array<vec2<u32>>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let t = id.y;
    if id.x >= params.chunks || t >= rows_of(params.tokens) {
        return;
    }
    clear();
    let end = min((id.x + 1u) * params.chunk, params.count);
    for (var i = id.x * params.chunk; i < end; i++) {
        insert(logits[t * params.count + i], i);
    }
    for (var i = 0u; i < params.k; i++) {
        candidates[(t * params.chunks + id.x) * params.k + i] = vec2<u32>(bitcast<u32>(values[i]), indices[i]);
    }
}
