// Parameters, bindings of the inputs and mask of attention.
#import step
#import gelu
struct AttentionParams {
    tokens: u32, // T, most rows of q
    heads: u32, // H
    kv_heads: u32, // G
    head_dim: u32, // K
    q_stride: u32, // elements from one row of q to the next
    q_offset: u32, // first element of q
    k_stride: u32, // elements from one key to the next, of values too
    k_offset: u32, // first element of k
    k_head_stride: u32, // elements from one kv head to the next
    v_offset: u32, // first element of v
    slot_stride: u32, // elements from one slot of the cache to the next
    source: u32, // 0: keys are this pass's own rows; 1: keys are rows of the cache
    mask: u32, // 0 full; 1 causal behind a two-way prefix
    window: u32, // keys that a query sees backwards; 0 is all
    splits: u32, // parts that the keys are split into, for decode
    split_keys: u32, // keys of a part
    scale: f32, // factor on scores
    softcap: f32, // c of c * tanh(score / c); 0 is none
}
@group(1) @binding(0) var<uniform> params: AttentionParams;

fn valid_tokens() -> u32 {
    return min(params.tokens, step.tokens);
}

fn key_count() -> u32 {
    return select(valid_tokens(), step.position + valid_tokens(), params.source == 1u);
}

// Position of a row of q among the keys.
fn query_position(t: u32) -> u32 {
    return select(t, step.position + t, params.source == 1u);
}

// What a query at position i sees is always a run of keys, [first_key, end_key): a query of the prefix sees the whole
// prefix, whatever its window, and a later one sees its window up to itself.
fn first_key(i: u32) -> u32 {
    if params.mask == 0u || params.window == 0u || i < step.prefix || i < params.window {
        return 0u;
    }
    return i + 1u - params.window;
}

// One past the last key that a query at position i may see.
fn end_key(i: u32) -> u32 {
    if params.mask == 0u {
        return key_count();
    }
    return min(key_count(), select(i + 1u, max(i + 1u, step.prefix), i < step.prefix));
}

fn capped(score: f32) -> f32 {
    if params.softcap > 0.0 {
        return soft_cap(score * params.scale, params.softcap);
    }
    return score * params.scale;
}

fn capped4(scores: vec4<f32>) -> vec4<f32> {
    if params.softcap > 0.0 {
        return soft_cap4(scores * params.scale, params.softcap);
    }
    return scores * params.scale;
}
