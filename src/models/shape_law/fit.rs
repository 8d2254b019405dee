use super::ShapeLaw;

/// A measurement: a dimension of a shape, the compute spent, and the error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The dimension.
    pub x: f64,
    /// Compute, in whatever unit.
    pub t: f64,
    /// The error.
    pub f: f64,
}

/// The fewest points that a law is fitted to: one more than it has parameters.
pub const LEAST_POINTS: usize = 8;

/// Exponents `[a, b, c]` that fits start from.
const STARTS: [[f64; 3]; 4] = [[0.3, 0.3, 0.2], [0.8, 0.5, 0.4], [0.4, 1.0, 0.3], [1.0, 1.0, 0.7]];
/// Steps from every start; the best one goes on.
const TRIAL_STEPS: usize = 400;
/// Points that are looked at on the way from there: the fewer there are, the more steps.
const LOOKS: usize = 1_000_000;
const FEWEST_STEPS: usize = 3000;
const MOST_STEPS: usize = 40_000;
/// The length of the first and of the last step, on logarithms.
const RATES: [f64; 2] = [0.05, 1e-4];

/// Logarithms of the parameters, in the order in which [`ShapeLaw`] has them.
type Logs = [f64; 7];

/// The law of least relative error over points, all of which are positive: by Adam, on logarithms of the parameters.
pub fn fit(points: &[Point]) -> ShapeLaw {
    let centred = Centred::of(points);
    let trials = STARTS.map(|start| centred.descend(centred.start(start), TRIAL_STEPS, [RATES[0], RATES[0] / 10.0]));
    let best = trials.into_iter().min_by(|a, b| a.error.total_cmp(&b.error));
    let steps = (LOOKS / points.len().max(1)).clamp(FEWEST_STEPS, MOST_STEPS);
    let fitted = best.map_or([0.0; 7], |best| centred.descend(best.logs, steps, RATES).logs);
    centred.law(fitted)
}

/// Points with logarithms of x and t around 0: there the parameters depend on each other least.
struct Centred {
    /// ln x, ln t, f.
    points: Vec<[f64; 3]>,
    /// What was taken from ln x and ln t.
    centre: [f64; 2],
}

struct Trial {
    /// Mean of squares of relative errors.
    error: f64,
    logs: Logs,
}

impl Centred {
    fn of(points: &[Point]) -> Self {
        let count = points.len().max(1) as f64;
        let centre: [fn(&Point) -> f64; 2] = [|point| point.x.ln(), |point| point.t.ln()];
        let centre = centre.map(|ln| points.iter().map(ln).sum::<f64>() / count);
        let point = |point: &Point| [point.x.ln() - centre[0], point.t.ln() - centre[1], point.f];
        Self { points: points.iter().map(point).collect(), centre }
    }

    /// Equal shares of the mean error at the centre, the least error halved as what is left.
    fn start(&self, [a, b, c]: [f64; 3]) -> Logs {
        let mean = self.points.iter().map(|point| point[2].ln()).sum::<f64>() / self.points.len().max(1) as f64;
        let (share, least) = (mean - 4f64.ln(), self.points.iter().map(|point| point[2]).fold(f64::MAX, f64::min));
        [share, a.ln(), share, b.ln(), share, c.ln(), (least / 2.0).ln()]
    }

    /// The best of so many steps of Adam whose lengths shrink from the first rate to the last.
    fn descend(&self, mut logs: Logs, steps: usize, [first, last]: [f64; 2]) -> Trial {
        const KEEP: [f64; 2] = [0.9, 0.999];
        let (mut mean, mut square, mut kept) = ([0.0; 7], [0.0; 7], [1.0; 2]);
        let mut best = Trial { error: f64::INFINITY, logs };
        for step in 0..steps {
            let (error, gradient) = self.gradient(&logs);
            if error < best.error {
                best = Trial { error, logs };
            }
            let rate = first * (last / first).powf(step as f64 / steps as f64);
            kept = [kept[0] * KEEP[0], kept[1] * KEEP[1]];
            for i in 0..7 {
                mean[i] += (1.0 - KEEP[0]) * (gradient[i] - mean[i]);
                square[i] += (1.0 - KEEP[1]) * (gradient[i] * gradient[i] - square[i]);
                let scale = (square[i] / (1.0 - kept[1])).sqrt() + 1e-16;
                logs[i] -= rate * mean[i] / (1.0 - kept[0]) / scale;
            }
        }
        best
    }

    /// Mean of squares of relative errors, and half its gradient.
    fn gradient(&self, logs: &Logs) -> (f64, Logs) {
        let [alpha, a, beta, b, xi, c, epsilon] = *logs;
        let ([a, b, c], [xi, epsilon]) = ([a.exp(), b.exp(), c.exp()], [xi.exp(), epsilon.exp()]);
        let (mut error, mut gradient) = (0.0, [0.0; 7]);
        for &[x, t, f] in &self.points {
            let (small, decay) = ((alpha - a * x).exp(), (-c * t).exp());
            let (large, rest) = ((beta + b * x).exp() * decay, xi * decay);
            let relative = (small + large + rest + epsilon) / f - 1.0;
            error += relative * relative;
            let by_log = [small, -small * a * x, large, large * b * x, rest, -(large + rest) * c * t, epsilon];
            for (sum, part) in gradient.iter_mut().zip(by_log) {
                *sum += relative / f * part;
            }
        }
        let count = self.points.len().max(1) as f64;
        (error / count, gradient.map(|sum| sum / count))
    }

    /// The law of these parameters, off the centre.
    fn law(&self, [alpha, a, beta, b, xi, c, epsilon]: Logs) -> ShapeLaw {
        let ([a, b, c], [x, t]) = ([a.exp(), b.exp(), c.exp()], self.centre);
        ShapeLaw {
            alpha: (alpha + a * x).exp(),
            a,
            beta: (beta - b * x + c * t).exp(),
            b,
            xi: (xi + c * t).exp(),
            c,
            epsilon: epsilon.exp(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAWS: [ShapeLaw; 2] = [
        ShapeLaw { alpha: 8.0, a: 0.5, beta: 1e-3, b: 0.9, xi: 0.5, c: 0.35, epsilon: 0.05 },
        ShapeLaw { alpha: 5.0, a: 0.45, beta: 5e-4, b: 0.8, xi: 0.8, c: 0.3, epsilon: 0.2 },
    ];

    /// 117 points of a law: x 2^6 to 2^12, t 1 to 10^4, each off by so much of itself, as a normal distribution has it.
    fn points(law: &ShapeLaw, noise: f64) -> Vec<Point> {
        let mut seed = 12345u64;
        let mut random = || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ((seed >> 11) as f64 + 0.5) / (1u64 << 53) as f64
        };
        let mut points = Vec::new();
        for i in 0..117 {
            let (x, t) = (2f64.powf(6.0 + f64::from(i % 13) / 2.0), 10f64.powf(f64::from(i / 13) / 2.0));
            let normal = (-2.0 * random().ln()).sqrt() * (std::f64::consts::TAU * random()).cos();
            points.push(Point { x, t, f: law.error(x, t) * (1.0 + noise * normal) });
        }
        points
    }

    #[test]
    fn a_known_law_comes_back() {
        for law in LAWS {
            let found = fit(&points(&law, 0.0));
            assert!((found.exponent() / law.exponent() - 1.0).abs() < 1e-3, "{found:?}, expected {law:?}");
            for t in [1.0, 1e2, 1e4] {
                assert!((found.optimum(t) / law.optimum(t) - 1.0).abs() < 0.005, "{found:?}, expected {law:?}");
            }
        }
    }

    /// As few points as a sweep has, all of them above most optima: what is least well told.
    #[test]
    fn a_law_comes_back_from_one_side_of_its_optimum() {
        let law = ShapeLaw { beta: 2e-3, ..LAWS[0] };
        let point = |(x, t): (f64, f64)| Point { x, t: t * 1e9, f: law.error(x, t) };
        let widths = [608.0, 768.0, 928.0, 1088.0, 1328.0, 1648.0];
        let points: Vec<Point> =
            widths.into_iter().flat_map(|x| [1.0, 4.0, 16.0, 64.0, 250.0].map(|t| point((x, t)))).collect();
        let found = fit(&points);
        assert!((found.exponent() / law.exponent() - 1.0).abs() < 0.02, "{found:?}, expected {law:?}");
        assert!((found.optimum(16e9) / law.optimum(16.0) - 1.0).abs() < 0.05, "{found:?}, expected {law:?}");
    }

    /// The exponent of the optimum, not those that it is made of: 117 points tell a and b to about 0.02.
    #[test]
    fn an_exponent_comes_back_from_points_with_noise() {
        for law in LAWS {
            let found = fit(&points(&law, 0.01));
            assert!((found.exponent() - law.exponent()).abs() < 0.01, "{found:?}, expected {law:?}");
            for t in [1.0, 1e2, 1e4] {
                assert!((found.optimum(t) / law.optimum(t) - 1.0).abs() < 0.05, "{found:?}, expected {law:?}");
            }
        }
    }

    /// What has no optimum still ends in numbers.
    #[test]
    fn points_of_no_law_give_numbers() {
        let flat: Vec<Point> = (1..20).map(|i| Point { x: f64::from(i), t: 1.0, f: 0.5 }).collect();
        let same = vec![Point { x: 1e300, t: 1e-300, f: 1e-300 }; 8];
        for points in [flat, same] {
            let law = fit(&points);
            assert!(law.exponent().is_finite() && law.epsilon >= 0.0, "{law:?}");
        }
    }
}
