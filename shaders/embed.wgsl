// Token embedding from one shard of the table: out[t] = table[ids[t] - first_row] * scale.
// ids [T], table shard [N, D] -> out [T, D]. Ids of other shards, and ids with the top bit set, are left alone.
// Work split: one invocation per four elements, rows of T in y. Grid: (ceil(D / 4 / 64), T). Twin: embed.
#import step
#import weight
struct EmbedParams {
    tokens: u32, // T, most ids
    width: u32, // D
    first_row: u32, // this shard's first row in the whole table
    rows: u32, // rows of this shard
    row_words: u32, // 32-bit words of a row
    row_scales: u32, // scales of a row
    scale: f32, // factor on every element
}
@group(1) @binding(0) var<uniform> params: EmbedParams;
@group(0) @binding(0) var<storage, read> ids: array<u32>;
#ifdef W_SCALED
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;
#else
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;
#endif

fn stored_row(row: u32) -> u32 {
    return row;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let k4 = id.x;
    let t = id.y;
    if t >= rows_of(params.tokens) || k4 * 4u >= params.width {
        return;
    }
    let token = ids[t];
    if token < params.first_row || token - params.first_row >= params.rows {
        return;
    }
    let row = token - params.first_row;
    out[t * (params.width / 4u) + k4] = weight4(row, k4) * weight_scale(row, k4 / 8u) * params.scale;
}
