struct Step {
    position: u32, // absolute position of the pass's first row: rows already in the KV cache
    tokens: u32, // valid rows of this pass
    prefix: u32, // positions below it see each other both ways
    slot: u32, // slot of the KV cache
}
@group(1) @binding(1) var<uniform> step: Step;
