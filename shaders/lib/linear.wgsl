// Bindings, parameters, weight access and epilogue of the linear family:
// y[t, first_row + n] = act(sum_k x[t, k] w[n, k] + bias[first_row + n]) + residual[t, first_row + n]
#import step
#import gelu
#import weight
struct LinearParams {
    tokens: u32, // T, most rows of x
    k: u32, // elements of a row of x; a multiple of 4
    rows: u32, // N of this shard
    first_row: u32, // column of out that this shard's first row gives, before GeGLU
    out_stride: u32, // elements of a row of out
    row_words: u32, // 32-bit words of a weight row
    row_scales: u32, // scales of a weight row
    x_row: u32, // first row of x; 0xffffffff takes the last valid row of every sequence
    sequence_rows: u32, // R, rows of x that each of those sequences has
    softcap: f32, // c of act 2
    weight_row: u32, // first row of the bound data that is used
    act: u32, // 0 none, 1 GELU tanh, 2 softcap, 3 GeGLU over pairs of rows, 4 ReLU
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

// Writes the sum of one weight row n of the shard; not for GeGLU.
fn finish(t: u32, n: u32, sum: f32) {
    var y = biased(n, sum);
    switch params.act {
        case 1u: {
            y = gelu_tanh(y);
        }
        case 2u: {
            y = soft_cap(y, params.softcap);
        }
        case 4u: {
            y = max(y, 0.0);
        }
        default: {}
    }
    put(t, params.first_row + n, y);
}

// Writes the sums of rows n and n + 1 (n even): two columns, or one after GeGLU.
fn finish_pair(t: u32, n: u32, sums: vec2<f32>) {
    if params.act == 3u {
        if n + 1u < params.rows {
            put(t, (params.first_row + n) / 2u, gelu_tanh(biased(n, sums.x)) * biased(n + 1u, sums.y));
        }
        return;
    }
    if n < params.rows {
        finish(t, n, sums.x);
    }
    if n + 1u < params.rows {
        finish(t, n + 1u, sums.y);
    }
}
