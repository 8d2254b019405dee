// Rotary angles and their sine and cosine, to the last bits of f32. A device's own sin, cos, exp2 and log2 may be off by
// 2^-11 (SwiftShader's are), which a model's logits show from a few hundred positions on.

// ln(x) for normal x > 0: the exponent from the bits, the rest by the series of atanh.
fn precise_ln(x: f32) -> f32 {
    let bits = bitcast<u32>(x);
    // The mantissa is taken into 0.75 .. 1.5, where the series is short.
    let shifted = bits - 0x3f400000u;
    let exponent = f32(bitcast<i32>(shifted) >> 23u);
    let m = bitcast<f32>((shifted & 0x007fffffu) + 0x3f400000u);
    let t = (m - 1.0) / (m + 1.0);
    let z = t * t;
    let series = ((((z / 11.0 + 1.0 / 9.0) * z + 1.0 / 7.0) * z + 0.2) * z + 1.0 / 3.0) * z;
    return exponent * 0.6931471806 + 2.0 * (t + t * series);
}

// exp(x) for x in -80 .. 80: a power of two from whole bits, the rest by Taylor's series within ln(2) / 2.
fn precise_exp(x: f32) -> f32 {
    let n = round(x * 1.442695041);
    // ln(2) in two parts, the first short enough for exact products.
    let r = (x - n * 0.693359375) + n * 2.12194440e-4;
    let series = (((((r / 5040.0 + 1.0 / 720.0) * r + 1.0 / 120.0) * r + 1.0 / 24.0) * r + 1.0 / 6.0) * r + 0.5) * r * r;
    return (1.0 + (r + series)) * bitcast<f32>(u32(i32(n) + 127) << 23u);
}

// (cos, sin) of an angle of up to some ten thousand: Cody and Waite's reduction, minimax polynomials of Cephes.
fn precise_cos_sin(angle: f32) -> vec2<f32> {
    let n = round(angle * 0.6366197724);
    // pi / 2 in three parts, the first two short enough for exact products.
    let x = ((angle - n * 1.5703125) - n * 4.837512969970703e-4) - n * 7.54978995489188e-8;
    let z = x * x;
    let s = x + x * z * ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1);
    let c = 1.0 - 0.5 * z + z * z * ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2);
    let quadrant = u32(i32(n)) & 3u;
    let swapped = select(vec2<f32>(c, s), vec2<f32>(-s, c), (quadrant & 1u) == 1u);
    return select(swapped, -swapped, quadrant >= 2u);
}
