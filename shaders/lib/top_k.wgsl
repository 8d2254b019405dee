#import step
struct TopKParams {
    tokens: u32, // T, most rows
    count: u32, // entries of an input row
    chunk: u32, // entries that one invocation looks at
    chunks: u32, // invocations that share a row
    k: u32, // entries kept of a chunk; at most 64
}
@group(1) @binding(0) var<uniform> params: TopKParams;

const NEVER: f32 = -3.0e38;
const MOST: u32 = 64u;
// The best so far by falling value; of equal values the lower index comes first.
var<private> values: array<f32, MOST>;
var<private> indices: array<u32, MOST>;

fn clear() {
    for (var i = 0u; i < params.k; i++) {
        values[i] = NEVER;
        indices[i] = 0xffffffffu;
    }
}

fn before(value: f32, index: u32, at: u32) -> bool {
    return value > values[at] || (value == values[at] && index < indices[at]);
}

fn insert(value: f32, index: u32) {
    var at = params.k - 1u;
    if !before(value, index, at) {
        return;
    }
    while at > 0u && before(value, index, at - 1u) {
        values[at] = values[at - 1u];
        indices[at] = indices[at - 1u];
        at -= 1u;
    }
    values[at] = value;
    indices[at] = index;
}
