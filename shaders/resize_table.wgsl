// A square table resized by a separable triangle filter: out[y, x] = sum over j, i of wy[j] wx[i] table[j, i]. The weights of
// place n of N among S are max(0, 1 - |j - c| / max(1, S / N)) over their sum, c = (n + 1/2) S / N - 1/2: bilinear, and where
// it shrinks, antialiased. Times 2 max(S, N) they are whole numbers, as here.
// table [S * S, D] -> out [Y * X, D]. Work split: one invocation per four elements, rows of out in y.
// Grid: (ceil(D / 4 / 32), Y * X). Twin: resize_table.
#import step
struct ResizeTableParams {
    tokens: u32, // Y * X
    width: u32, // D
    side: u32, // S, places along a side of the table
    rows: u32, // Y, places of out from top to bottom
    columns: u32, // X, places of out from left to right
}
@group(1) @binding(0) var<uniform> params: ResizeTableParams;
@group(0) @binding(0) var<storage, read> table: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;

// The places of the table with a weight for place n of count: some of weight 0 may be among them.
fn places(n: u32, count: u32) -> vec2<u32> {
    let center = i32((2u * n + 1u) * params.side);
    let reach = i32(2u * max(params.side, count) + count);
    let stride = i32(2u * count);
    return vec2<u32>(u32(max(center - reach, 0) / stride), u32(min((center + reach) / stride, i32(params.side) - 1)));
}

// The weight of place j of the table for place n of count, times 2 max(S, N).
fn weight(j: u32, n: u32, count: u32) -> f32 {
    let apart = abs(i32((2u * j + 1u) * count) - i32((2u * n + 1u) * params.side));
    return f32(max(i32(2u * max(params.side, count)) - apart, 0));
}

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let d4s = params.width / 4u;
    let t = id.y;
    if t >= rows_of(params.tokens) || id.x >= d4s {
        return;
    }
    let y = t / params.columns;
    let x = t % params.columns;
    let ys = places(y, params.rows);
    let xs = places(x, params.columns);
    var sum = vec4<f32>(0.0);
    var total = 0.0;
    for (var j = ys.x; j <= ys.y; j++) {
        let wy = weight(j, y, params.rows);
        for (var i = xs.x; i <= xs.y; i++) {
            let w = wy * weight(i, x, params.columns);
            total += w;
            sum += w * table[(j * params.side + i) * d4s + id.x];
        }
    }
    out[t * d4s + id.x] = sum / total;
}
