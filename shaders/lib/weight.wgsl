// Four neighbouring weights of a row: weight4(row, k4) times weight_scale(row, k4 / 8).
#ifdef W_F32
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
fn weight4(row: u32, k4: u32) -> vec4<f32> {
    return weight[row * (params.row_words / 4u) + k4];
}
#endif
#ifdef W_F16
@group(0) @binding(1) var<storage, read> weight: array<vec2<u32>>;
fn weight4(row: u32, k4: u32) -> vec4<f32> {
    let words = weight[row * (params.row_words / 2u) + k4];
    return vec4<f32>(unpack2x16float(words.x), unpack2x16float(words.y));
}
#endif
#ifdef W_Q8
@group(0) @binding(1) var<storage, read> weight: array<u32>;
fn weight4(row: u32, k4: u32) -> vec4<f32> {
    return vec4<f32>(unpack4xI8(weight[row * params.row_words + k4]));
}
#endif
#ifdef W_Q4
@group(0) @binding(1) var<storage, read> weight: array<u32>;
// A block of 32 is four words: low nibbles hold its elements 0..15, high nibbles 16..31.
fn weight4(row: u32, k4: u32) -> vec4<f32> {
    let word = weight[row * params.row_words + (k4 / 8u) * 4u + (k4 & 3u)];
    let nibbles = (word >> (k4 & 4u)) & 0x0f0f0f0fu;
    return vec4<f32>(vec4<i32>(unpack4xU8(nibbles)) - 8);
}
#endif
#ifdef W_SCALED
@group(0) @binding(2) var<storage, read> scales: array<u32>;
fn weight_scale(row: u32, block: u32) -> f32 {
    let at = row * params.row_scales + block;
    return unpack2x16float(scales[at / 2u])[at & 1u];
}
#else
fn weight_scale(row: u32, block: u32) -> f32 {
    return 1.0;
}
#endif
