// Four neighbouring weights of a row: weight4(row, k4) times weight_scale(row, k4 / 8). Whoever imports this defines
// stored_row(row), the row's place in the bound data.
#ifdef W_F32
const UNIT: f32 = 1.0;
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
fn weight4(row: u32, k4: u32) -> vec4<f32> {
    return weight[stored_row(row) * (params.row_words / 4u) + k4];
}
#endif
#ifdef W_F16
const UNIT: f32 = 1.0;
@group(0) @binding(1) var<storage, read> weight: array<vec2<u32>>;
fn weight4(row: u32, k4: u32) -> vec4<f32> {
    let words = weight[stored_row(row) * (params.row_words / 2u) + k4];
    return vec4<f32>(unpack2x16float(words.x), unpack2x16float(words.y));
}
#endif
// Signed bytes come out as the top byte of a word, that is times 2^24, and the scale takes it back: this is two thirds
// of the work of unpack4xI8, and a matvec on SwiftShader is 1.4 times as fast.
#ifdef W_Q8
const UNIT: f32 = 5.9604644775390625e-8; // 2^-24
@group(0) @binding(1) var<storage, read> weight: array<u32>;
fn weight4(row: u32, k4: u32) -> vec4<f32> {
    let w = weight[stored_row(row) * params.row_words + k4];
    let tops = vec4<u32>(w << 24u, (w << 16u) & 0xff000000u, (w << 8u) & 0xff000000u, w & 0xff000000u);
    return vec4<f32>(vec4<i32>(tops));
}
#endif
#ifdef W_Q4
const UNIT: f32 = 3.7252902984619140625e-9; // 2^-28
@group(0) @binding(1) var<storage, read> weight: array<u32>;
// A block of 32 is four words: low nibbles hold its elements 0..15, high nibbles 16..31, all as value + 8, which with
// its top bit turned is the value in two's complement.
fn weight4(row: u32, k4: u32) -> vec4<f32> {
    let word = weight[stored_row(row) * params.row_words + (k4 / 8u) * 4u + (k4 & 3u)] ^ 0x88888888u;
    let w = word << (4u - (k4 & 4u));
    let tops = vec4<u32>(w << 24u, w << 16u, w << 8u, w) & vec4<u32>(0xf0000000u);
    return vec4<f32>(vec4<i32>(tops));
}
#endif
#ifdef W_SCALED
@group(0) @binding(2) var<storage, read> scales: array<u32>;
fn block_scale(row: u32, block: u32) -> f32 {
    let at = stored_row(row) * params.row_scales + block;
    return unpack2x16float(scales[at / 2u])[at & 1u];
}
#else
fn block_scale(row: u32, block: u32) -> f32 {
    return 1.0;
}
#endif
fn weight_scale(row: u32, block: u32) -> f32 {
    return block_scale(row, block) * UNIT;
}
