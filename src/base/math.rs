/// Smallest `n` with `n * divisor >= value`.
pub const fn ceil_div(value: usize, divisor: usize) -> usize {
    value.div_ceil(divisor)
}

/// Smallest multiple of `multiple` that is at least `value`.
pub const fn round_up(value: usize, multiple: usize) -> usize {
    value.div_ceil(multiple) * multiple
}
