/// How error falls with one dimension of a shape, such as its width, and with compute:
/// `f(x, t) = alpha * x^-a + (beta * x^b + xi) * t^-c + epsilon`, all parameters positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShapeLaw {
    /// What a dimension that is too small costs.
    pub alpha: f64,
    /// How fast that falls with the dimension.
    pub a: f64,
    /// What one that is too large costs.
    pub beta: f64,
    /// How fast that grows with the dimension.
    pub b: f64,
    /// What too little compute costs in any dimension.
    pub xi: f64,
    /// How fast both of these fall with compute.
    pub c: f64,
    /// What is left in the end.
    pub epsilon: f64,
}

impl ShapeLaw {
    /// f, the error at a dimension of `x` and compute `t`.
    pub fn error(&self, x: f64, t: f64) -> f64 {
        let Self { alpha, a, beta, b, xi, c, epsilon } = *self;
        alpha * x.powf(-a) + (beta * x.powf(b) + xi) * t.powf(-c) + epsilon
    }

    /// s, the exponent of the optimum in compute: `x* ∝ t^s`.
    pub fn exponent(&self) -> f64 {
        self.c / (self.a + self.b)
    }

    /// x*, the dimension of least error at compute `t`.
    pub fn optimum(&self, t: f64) -> f64 {
        let Self { alpha, a, beta, b, c, .. } = *self;
        (((alpha * a).ln() - (beta * b).ln() + c * t.ln()) / (a + b)).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_optimum_is_where_error_is_least() {
        let law = ShapeLaw { alpha: 8.0, a: 0.5, beta: 1e-3, b: 0.9, xi: 0.5, c: 0.35, epsilon: 0.05 };
        assert!((law.exponent() - 0.25).abs() < 1e-12);
        for t in [1.0, 1e4] {
            let x = law.optimum(t);
            assert!(law.error(x, t) < law.error(x * 1.01, t) && law.error(x, t) < law.error(x / 1.01, t), "{t}");
        }
        assert!((law.optimum(1e4) / law.optimum(1.0) - 10.0).abs() < 1e-9);
    }
}
