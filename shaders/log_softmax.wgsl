// Log-probability of one chosen id per row: out[t] = logits[t, ids[t]] - logsumexp(logits[t]).
// logits [T, V], ids [T] -> out [T]. Work split: a workgroup of 64 a row. Grid: (T). Twin: log_softmax.
#import select
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
var<workgroup> bests: array<Best, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let t = group.x;
    let inside = t < rows_of(params.tokens);
    let end = select(0u, params.vocab, inside);
    var best = Best(NEVER, 0xffffffffu, 0.0);
    for (var i = lane; i < end; i += 64u) {
        best = join(best, Best(logits[t * params.vocab + i], i, 1.0));
    }
    bests[lane] = best;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            bests[lane] = join(bests[lane], bests[lane + half]);
        }
    }
    if lane == 0u && inside && ids[t] < params.vocab {
        out[t] = logits[t * params.vocab + ids[t]] - bests[0].peak - log(bests[0].sum);
    }
}
