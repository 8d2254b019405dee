#![no_main]

#[allow(dead_code, reason = "each fuzzer calls one")]
#[path = "../../hostile/bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    bodies::compact_tokenizer(bytes);
});
