// Parameters of LayerNorm and RMSNorm, and the sum of a row over the invocations that share it.
#import step
struct NormParams {
    tokens: u32, // T, most rows
    width: u32, // D
    x_row: u32, // first row of x; 0xffffffff takes the last valid row of every sequence
    sequence_rows: u32, // R, rows of x that each of those sequences has
    eps: f32, // added to the variance
    residual: u32, // 1 adds the residual; LayerNorm has none
}
@group(1) @binding(0) var<uniform> params: NormParams;

// First vec4 of the row of x that gives row t of out.
fn x_offset(t: u32) -> u32 {
    return chosen_row(t, params.x_row, params.sequence_rows) * (params.width / 4u);
}

fn valid_tokens() -> u32 {
    return chosen_rows(params.tokens, params.x_row);
}

#ifdef SERIAL
const LANES: u32 = 1u;
fn row_sum(lane: u32, value: f32) -> f32 {
    return value;
}
#else
const LANES: u32 = 64u;
alias Sum = f32;
#import reduce
fn row_sum(lane: u32, value: f32) -> f32 {
    return workgroup_sum(lane, value);
}
#endif
