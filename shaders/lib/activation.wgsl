// Activation functions, each under the code that Function::code in src/kernels/activation.rs gives it; 0 leaves x alone.
#import softcap

// GELU in its tanh approximation. Past |x| = 10 tanh is 1 to the last bit; clamping keeps exp finite.
fn gelu_tanh(x: f32) -> f32 {
    let inner = clamp(0.7978845608 * (x + 0.044715 * x * x * x), -10.0, 10.0);
    return 0.5 * x * (1.0 + tanh(inner));
}

// GELU itself, max(x, 0) - |x| / 2 * erfc(|x| / sqrt(2)). The polynomial is ln erfc(a / sqrt(2)) / a, fitted so that erfc is
// right to 2e-8; rounding makes that 1.2e-7. Beyond 6.5 erfc is below 1e-10.
fn gelu_erf(x: f32) -> f32 {
    let a = min(abs(x), 6.5);
    var p = -1.96501355e-6;
    p = p * a + 2.72945581e-5;
    p = p * a - 1.2905043e-4;
    p = p * a - 9.49167807e-5;
    p = p * a + 4.89598932e-3;
    p = p * a - 3.63875777e-2;
    p = p * a - 3.18298876e-1;
    p = p * a - 7.97885299e-1;
    return max(x, 0.0) - 0.5 * a * exp(p * a);
}

// SiLU. Below -80 it is 0 to the last bit; the bound keeps exp finite.
fn silu(x: f32) -> f32 {
    let bounded = max(x, -80.0);
    return bounded / (1.0 + exp(-bounded));
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
        case 4u: {
            y = gelu_erf(x);
        }
        case 5u: {
            y = silu(x);
        }
        default: {}
    }
    return y;
}
