// The rows of a pass are those of its sequences, each with as many rows as the next, of which the first ones are valid.
struct Sequence {
    @align(16) position: u32, // absolute position of its first row of this pass: rows already in its slot of the cache
    tokens: u32, // its valid rows of this pass
    prefix: u32, // positions below it see each other both ways
    slot: u32, // its slot of the KV cache
    memory: u32, // valid rows of its block of the memory; 0xffffffff is all
    memory_slot: u32, // its block of the memory
}
struct Step {
    rows: u32, // rows of this pass up to the last valid one
    sequences: u32, // sequences of this pass
    @align(16) sequence: array<Sequence, 64>, // one of the sequences of a pass
}
@group(1) @binding(1) var<uniform> step: Step;

// Rows of a matrix of at most so many that are worth computing. Rows of padding among them are computed and never read.
fn rows_of(most: u32) -> u32 {
    return min(most, step.rows);
}

// Stands for a first row: the last valid row of every sequence is taken instead.
const LAST_ROWS: u32 = 0xffffffffu;

// Rows that come out of at most so many when x is read from row x_row on. Sequences at the end may have no valid row.
fn chosen_rows(most: u32, x_row: u32) -> u32 {
    return min(rows_of(most), select(step.rows, step.sequences, x_row == LAST_ROWS));
}

// The row of x that gives row t.
fn chosen_row(t: u32, x_row: u32, sequence_rows: u32) -> u32 {
    if x_row == LAST_ROWS {
        return t * sequence_rows + max(step.sequence[t].tokens, 1u) - 1u;
    }
    return x_row + t;
}
