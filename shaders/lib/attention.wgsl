// Parameters and mask of attention. Workgroups along z do a sequence of the pass each, whose rows of q come one after the
// other; a row of q is told by its place r among them.
#import step
struct AttentionParams {
    tokens: u32, // T, most rows of q
    sequence_rows: u32, // R, rows of q of each sequence; 0xffffffff where the pass is one
    heads: u32, // H
    kv_heads: u32, // G
    head_dim: u32, // K
    q_stride: u32, // elements from one row of q to the next
    q_offset: u32, // first element of q
    k_stride: u32, // elements from one key to the next, of values too
    k_offset: u32, // first element of k
    k_head_stride: u32, // elements from one kv head to the next
    v_offset: u32, // first element of v
    slot_stride: u32, // elements from one sequence's own rows, slot of the cache or block of the memory to the next
    source: u32, // keys are 0: the sequence's own rows of this pass; 1: rows of the cache; 2: rows of a memory
    mask: u32, // 0 full; 1 causal behind a two-way prefix
    window: u32, // keys that a query sees backwards; 0 is all
    splits: u32, // parts that the keys are split into, for decode
    split_keys: u32, // keys of a part
    scale: f32, // factor on scores
    softcap: f32, // c of c * tanh(score / c); 0 is none
    bias_rows: u32, // rows of the table that is added to scores; 0 is no table
    bias_stride: u32, // elements of a row of it, of which the first H are used
    bias_center: u32, // row for a key at the query's own position
}
@group(1) @binding(0) var<uniform> params: AttentionParams;

// Valid rows of q of a sequence.
fn valid_rows(sequence: u32) -> u32 {
    let most = min(params.tokens, params.sequence_rows);
    return select(0u, min(most, step.sequence[sequence].tokens), sequence < step.sequences);
}

// The row of q, and of out, that is row r of a sequence.
fn row_of(sequence: u32, r: u32) -> u32 {
    return sequence * params.sequence_rows + r;
}

// Elements in front of a sequence's keys.
fn keys_at(sequence: u32) -> u32 {
    var slot = sequence;
    if params.source == 1u {
        slot = step.sequence[sequence].slot;
    } else if params.source == 2u {
        slot = step.sequence[sequence].memory_slot;
    }
    return slot * params.slot_stride;
}

fn key_count(sequence: u32) -> u32 {
    if params.source == 2u {
        return min(step.sequence[sequence].memory, params.slot_stride / params.k_stride);
    }
    return select(valid_rows(sequence), step.sequence[sequence].position + valid_rows(sequence), params.source == 1u);
}

// Position of a row of q among the keys.
fn query_position(sequence: u32, r: u32) -> u32 {
    return select(r, step.sequence[sequence].position + r, params.source != 0u);
}

// What a query at position i sees is always a run of keys, [first_key, end_key): a query of the prefix sees the whole
// prefix, whatever its window, and a later one sees its window up to itself.
fn first_key(sequence: u32, i: u32) -> u32 {
    if params.mask == 0u || params.window == 0u || i < step.sequence[sequence].prefix || i < params.window {
        return 0u;
    }
    return i + 1u - params.window;
}

// One past the last key that a query at position i may see.
fn end_key(sequence: u32, i: u32) -> u32 {
    if params.mask == 0u {
        return key_count(sequence);
    }
    let prefix = step.sequence[sequence].prefix;
    return min(key_count(sequence), select(i + 1u, max(i + 1u, prefix), i < prefix));
}

// What to divide by: a query that sees nothing gives zeros.
fn divisor(sum: f32) -> f32 {
    return select(1.0, sum, sum > 0.0);
}
