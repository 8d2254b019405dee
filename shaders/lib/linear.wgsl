// Bindings, parameters, weight access and epilogue of the linear family:
// y[t, first_row + n] = act(sum_k x[t, k] w[n, k] + bias[first_row + n]) + residual[t, first_row + n]
#import step
#import activation
#import weight
struct LinearParams {
    tokens: u32, // T, most rows of x
    k: u32, // elements of a row of x; a multiple of 4
    rows: u32, // N of this shard
    first_row: u32, // column of out that this shard's first row gives, before pairs become one
    out_stride: u32, // elements of a row of out
    row_words: u32, // 32-bit words of a weight row
    row_scales: u32, // scales of a weight row
    x_row: u32, // first row of x; 0xffffffff takes the last valid row of every sequence
    sequence_rows: u32, // R, rows of x that each of those sequences has
    weight_row: u32, // first row of the bound data that is used
    act: u32, // code of the activation's function; 0 is none
    gated: u32, // 1 takes pairs of rows (gate, up): act(gate) * up
    cap: f32, // c of softcap
    bias: u32, // 1 adds the bias
    residual: u32, // 1 adds the residual after act
}
@group(1) @binding(0) var<uniform> params: LinearParams;
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
#ifdef W_SCALED
@group(0) @binding(3) var<storage, read> bias_in: array<f32>;
@group(0) @binding(4) var<storage, read> residual_in: array<f32>;
@group(0) @binding(5) var<storage, read_write> out: array<f32>;
#else
@group(0) @binding(2) var<storage, read> bias_in: array<f32>;
@group(0) @binding(3) var<storage, read> residual_in: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
#endif

fn stored_row(row: u32) -> u32 {
    return params.weight_row + row;
}

fn valid_tokens() -> u32 {
    return chosen_rows(params.tokens, params.x_row);
}

// First vec4 of the row of x that gives row t of out.
fn x_offset(t: u32) -> u32 {
    return chosen_row(t, params.x_row, params.sequence_rows) * (params.k / 4u);
}

fn biased(n: u32, sum: f32) -> f32 {
    if params.bias == 1u {
        return sum + bias_in[params.first_row + n];
    }
    return sum;
}

fn put(t: u32, column: u32, y: f32) {
    let at = t * params.out_stride + column;
    if params.residual == 1u {
        out[at] = y + residual_in[at];
    } else {
        out[at] = y;
    }
}

// Writes the sums of rows n and n + 1 (n even): two columns, or one where they are gate and up.
// Told once for both columns, since a compiler would write all functions out for each.
fn finish_pair(t: u32, n: u32, sums: vec2<f32>) {
    for (var i = 0u; i < 2u - params.gated && n + i + params.gated < params.rows; i++) {
        var column = params.first_row + n + i;
        var y = activate(params.act, biased(n + i, select(sums.x, sums.y, i == 1u)), params.cap);
        if params.gated == 1u {
            column /= 2u;
            y *= biased(n + 1u, sums.y);
        }
        put(t, column, y);
    }
}
