// Scores of attention: softcap(scale * q k^T) + bias[j - i + center, h], i and j the positions of query and key; keys
// farther than the table reaches have its first or last row.
#import attention
#import softcap
@group(0) @binding(3) var<storage, read> bias: array<f32>;

fn bias_of(i: u32, j: u32, head: u32) -> f32 {
    let row = clamp(i32(j + params.bias_center) - i32(i), 0, i32(params.bias_rows) - 1);
    return bias[u32(row) * params.bias_stride + head];
}

fn score(dots: f32, i: u32, j: u32, head: u32) -> f32 {
    var score = dots * params.scale;
    if params.softcap > 0.0 {
        score = soft_cap(score, params.softcap);
    }
    if params.bias_rows > 0u {
        score += bias_of(i, j, head);
    }
    return score;
}

fn score4(dots: vec4<f32>, i: u32, j: vec4<u32>, head: u32) -> vec4<f32> {
    var scores = dots * params.scale;
    if params.softcap > 0.0 {
        scores = soft_cap4(scores, params.softcap);
    }
    if params.bias_rows > 0u {
        scores += vec4<f32>(bias_of(i, j.x, head), bias_of(i, j.y, head), bias_of(i, j.z, head), bias_of(i, j.w, head));
    }
    return scores;
}
