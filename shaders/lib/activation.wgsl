// Activation functions, each under the code that Function::code in src/kernels/activation.rs gives it; 0 leaves x alone.
#import softcap

// GELU in its tanh approximation. Past |x| = 10 tanh is 1 to the last bit; clamping keeps exp finite.
fn gelu_tanh(x: f32) -> f32 {
    let inner = clamp(0.7978845608 * (x + 0.044715 * x * x * x), -10.0, 10.0);
    return 0.5 * x * (1.0 + tanh(inner));
}

fn activate(act: u32, x: f32, cap: f32) -> f32 {
    var y = x;
    switch act {
        case 1u: {
            y = gelu_tanh(x);
        }
        case 2u: {
            y = soft_cap(x, cap);
        }
        case 3u: {
            y = max(x, 0.0);
        }
        default: {}
    }
    return y;
}
