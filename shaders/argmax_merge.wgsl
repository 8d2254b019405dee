// Joins the chunks of argmax_partial: index and logit of the largest, and the logsumexp of the row.
// partial [T, chunks, 4] -> choice [T, 4]: index, logit, logsumexp, 0; next_ids [T]: index. A row with a logit that is
// no number has index 0xffffffff and next id 0. Work split: one invocation a row. Grid: (T). Twin: argmax_merge.
#import select
@group(0) @binding(0) var<storage, read> partial: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> choice: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> next_ids: array<u32>;

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) group: vec3<u32>) {
    let t = group.x;
    if t >= rows_of(params.tokens) {
        return;
    }
    var best = Best(NEVER, 0xffffffffu, 0.0);
    for (var i = 0u; i < params.chunks; i++) {
        let p = partial[t * params.chunks + i];
        best = join(best, Best(bitcast<f32>(p.x), p.y, bitcast<f32>(p.z)));
    }
    // Compilers may assume that no float is a NaN, so the bits are asked: all exponent bits set is NaN or infinity.
    let finite = (bitcast<u32>(best.sum) & 0x7f800000u) != 0x7f800000u && best.index != 0xffffffffu;
    let index = select(0xffffffffu, best.index, finite);
    choice[t] = vec4<u32>(index, bitcast<u32>(best.peak), bitcast<u32>(best.peak + log(best.sum)), 0u);
    next_ids[t] = select(0u, best.index, finite);
}
