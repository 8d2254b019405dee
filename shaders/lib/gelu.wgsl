// GELU in its tanh approximation. Past |x| = 10 tanh is 1 to the last bit; clamping keeps exp finite.
fn gelu_tanh(x: f32) -> f32 {
    let inner = clamp(0.7978845608 * (x + 0.044715 * x * x * x), -10.0, 10.0);
    return 0.5 * x * (1.0 + tanh(inner));
}

fn soft_cap(x: f32, cap: f32) -> f32 {
    return cap * tanh(clamp(x / cap, -10.0, 10.0));
}

fn soft_cap4(x: vec4<f32>, cap: f32) -> vec4<f32> {
    return cap * tanh(clamp(x / cap, vec4<f32>(-10.0), vec4<f32>(10.0)));
}
