/// Reproducible random numbers (xorshift64*).
pub struct Random(u64);

/// What outputs hold before a kernel runs: nothing computes to this NaN.
pub const POISON: u32 = 0x7fc0_dead;

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.next() >> 32) as usize) % n
    }

    /// Uniform in `-1..1`.
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    pub fn vector(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.unit()).collect()
    }
}

pub fn poisoned(n: usize) -> Vec<f32> {
    vec![f32::from_bits(POISON); n]
}

/// Asserts that two outputs agree within `tolerance` of the largest element, and that poison stands in the same places.
pub fn assert_close(what: &str, plain: &[f32], fast: &[f32], tolerance: f32) {
    assert_eq!(plain.len(), fast.len(), "{what}");
    let largest = plain.iter().filter(|x| x.is_finite()).fold(1e-6f32, |m, x| m.max(x.abs()));
    for (i, (p, f)) in plain.iter().zip(fast).enumerate() {
        if p.to_bits() == POISON || f.to_bits() == POISON {
            assert_eq!(p.to_bits(), f.to_bits(), "{what}: element {i} of {}: plain {p}, fast {f}", plain.len());
        } else {
            let near = (p - f).abs() <= tolerance * largest;
            assert!(near, "{what}: element {i} of {}: plain {p}, fast {f}, largest {largest}", plain.len());
        }
    }
}
