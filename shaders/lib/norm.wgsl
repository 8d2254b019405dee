// Parameters of LayerNorm and RMSNorm, and the sum of a row over the invocations that share it.
#import step
struct NormParams {
    tokens: u32, // T, most rows
    width: u32, // D
    x_row: u32, // first row of x; 0xffffffff is the last valid one
    eps: f32, // added to the variance
    residual: u32, // 1 adds the residual; LayerNorm has none
}
@group(1) @binding(0) var<uniform> params: NormParams;

fn x_offset(t: u32) -> u32 {
    let first = select(params.x_row, step.tokens - 1u, params.x_row == 0xffffffffu);
    return (first + t) * (params.width / 4u);
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
