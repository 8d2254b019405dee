// Largest logit of a chunk with its index and the chunk's share of the logsumexp.
// logits [T, V] -> partial [T, chunks, 4]: peak, id, sum of e^(logit - peak), 0.
// Work split: one invocation per chunk, rows in y. Grid: (ceil(chunks / 32), T). Twin: argmax_partial.
#import select
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> partial: array<vec4<u32>>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let t = id.y;
    if id.x >= params.chunks || t >= rows_of(params.tokens) {
        return;
    }
    let first = id.x * params.chunk;
    let end = min(first + params.chunk, params.vocab);
    var best = Best(NEVER, 0xffffffffu, 0.0);
    for (var i = first; i < end; i++) {
        let logit = logits[t * params.vocab + i];
        if logit > best.peak {
            best = Best(logit, params.first_id + i, best.sum * exp(best.peak - logit) + 1.0);
        } else {
            // A logit that is no number comes here and spoils the sum, which the merge notices.
            best.sum += exp(logit - best.peak);
        }
    }
    partial[t * params.chunks + id.x] = vec4<u32>(bitcast<u32>(best.peak), best.index, bitcast<u32>(best.sum), 0u);
}
