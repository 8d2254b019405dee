// Joins the parts of decode attention: out[h] = sum_s e^(peak_s - peak) values_s / sum_s e^(peak_s - peak) sum_s.
// partial [T, H, splits, K + 4] -> out [T, H * K]. Work split: one invocation per four dimensions, heads in y, rows of
// out in z. Grid: (ceil(K / 4 / 32), H, T). Twin: attention_merge.
#import attention
@group(0) @binding(0) var<storage, read> partial: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let d4s = params.head_dim / 4u;
    let head = id.y;
    let sequence = id.z;
    if id.x >= d4s || valid_rows(sequence) == 0u {
        return;
    }
    let row = d4s + 1u;
    let first = (sequence * params.heads + head) * params.splits * row;
    var peak = -1e30;
    for (var s = 0u; s < params.splits; s++) {
        if partial[first + s * row].y > 0.0 {
            peak = max(peak, partial[first + s * row].x);
        }
    }
    var sum = 0.0;
    var values = vec4<f32>(0.0);
    for (var s = 0u; s < params.splits; s++) {
        let at = first + s * row;
        if partial[at].y > 0.0 {
            let share = exp(partial[at].x - peak);
            sum += share * partial[at].y;
            values += share * partial[at + 1u + id.x];
        }
    }
    out[(sequence * params.heads + head) * d4s + id.x] = values / divisor(sum);
}
