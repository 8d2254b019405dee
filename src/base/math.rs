/// Smallest `n` with `n * divisor >= value`.
pub const fn ceil_div(value: usize, divisor: usize) -> usize {
    value.div_ceil(divisor)
}

/// Smallest multiple of `multiple` that is at least `value`.
pub const fn round_up(value: usize, multiple: usize) -> usize {
    value.div_ceil(multiple) * multiple
}

/// A vector's length.
pub fn length(vector: &[f32]) -> f64 {
    vector.iter().map(|&value| f64::from(value) * f64::from(value)).sum::<f64>().sqrt()
}

/// The same vector with length 1; one without a length as it is.
pub fn unit(vector: &[f32]) -> Vec<f32> {
    let length = length(vector);
    let divisor = if length > 0.0 { length } else { 1.0 };
    vector.iter().map(|&value| (f64::from(value) / divisor) as f32).collect()
}
