#import step
struct SelectParams {
    tokens: u32, // T, most rows
    vocab: u32, // V, logits of a row
    chunk: u32, // logits that one invocation looks at
    chunks: u32, // invocations that share a row
    first_id: u32, // id of the first logit of a row
}
@group(1) @binding(0) var<uniform> params: SelectParams;

// Largest logit, its index, and the sum of e^(logit - largest).
struct Best {
    peak: f32,
    index: u32,
    sum: f32,
}
const NEVER: f32 = -3.0e38;

// Joins two bests; of equal logits the lower index stays. A sum that is no number stays one.
fn join(a: Best, b: Best) -> Best {
    let b_wins = b.peak > a.peak || (b.peak == a.peak && b.index < a.index);
    let peak = max(a.peak, b.peak);
    let sum = a.sum * exp(a.peak - peak) + b.sum * exp(b.peak - peak);
    return Best(peak, select(a.index, b.index, b_wins), sum);
}
