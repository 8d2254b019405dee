// Attention, barrier-free: out[t, h] = softmax(softcap(scale * q k^T)) v over the keys that t sees, softmax online in f32.
// q [T, H, K], k and v by the strides of the parameters -> out [T, H * K].
// Work split: one invocation per query and head. Grid: (ceil(T / 32), H). Twin: attention_serial.
#import attention
#import attend_serial
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let t = id.x;
    let head = id.y;
    if t >= valid_tokens() {
        return;
    }
    let i = query_position(t);
    let state = attend(t, head, first_key(i), end_key(i));
    let d4s = params.head_dim / 4u;
    for (var d = 0u; d < d4s; d++) {
        out[(t * params.heads + head) * d4s + d] = acc[d] / state.sum;
    }
}
