fn soft_cap(x: f32, cap: f32) -> f32 {
    return cap * tanh(clamp(x / cap, -10.0, 10.0));
}

fn soft_cap4(x: vec4<f32>, cap: f32) -> vec4<f32> {
    return cap * tanh(clamp(x / cap, vec4<f32>(-10.0), vec4<f32>(10.0)));
}
