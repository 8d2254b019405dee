use super::rng::Rng;

/// A token that may come next and its logit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Token id.
    pub id: u32,
    /// Logit before temperature.
    pub logit: f32,
}

/// Draws one of `candidates`, which are sorted by falling logit.
///
/// As transformers does: the temperature divides the logits, `top_k` keeps the first candidates (0 keeps all), `top_p`
/// keeps the shortest prefix whose probability reaches it, and what is left is drawn by its probability. Computed in
/// f64 so that players whose logits differ by rounding alone draw the same token but for hair's-breadth cases.
pub fn sample(
    candidates: &[Candidate],
    temperature: f32,
    top_k: usize,
    top_p: f32,
    rng: &mut Rng,
) -> Option<Candidate> {
    let kept = if top_k == 0 { candidates } else { &candidates[..top_k.min(candidates.len())] };
    let best = kept.first()?.logit;
    let weights: Vec<f64> = kept.iter().map(|c| (f64::from(c.logit - best) / f64::from(temperature)).exp()).collect();
    let nucleus = f64::from(top_p) * weights.iter().sum::<f64>();
    let mut mass = 0.0;
    let mut count = 0;
    for weight in &weights {
        mass += weight;
        count += 1;
        if mass >= nucleus {
            break;
        }
    }
    let mut left = rng.uniform() * mass;
    for (candidate, weight) in kept.iter().zip(&weights).take(count) {
        left -= weight;
        if left < 0.0 {
            return Some(*candidate);
        }
    }
    kept.get(count - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(logits: &[f32]) -> Vec<Candidate> {
        logits.iter().enumerate().map(|(i, &logit)| Candidate { id: i as u32, logit }).collect()
    }

    fn shares(c: &[Candidate], temperature: f32, top_k: usize, top_p: f32) -> Vec<f64> {
        let mut rng = Rng::new(7);
        let mut counts = vec![0.0; c.len()];
        for _ in 0..20_000 {
            let drawn = sample(c, temperature, top_k, top_p, &mut rng).expect("candidates are not empty");
            counts[drawn.id as usize] += 1.0 / 20_000.0;
        }
        counts
    }

    #[test]
    fn draws_by_probability() {
        let c = candidates(&[2.0, 1.0, 0.0]);
        let sum: f64 = [2.0f64, 1.0, 0.0].iter().map(|x| x.exp()).sum();
        for (share, logit) in shares(&c, 1.0, 0, 1.0).iter().zip([2.0f64, 1.0, 0.0]) {
            assert!((share - logit.exp() / sum).abs() < 0.01, "{share} for logit {logit}");
        }
    }

    #[test]
    fn temperature_sharpens() {
        let c = candidates(&[2.0, 1.0]);
        let expected = 1.0 / (1.0 + (-2.0f64).exp());
        assert!((shares(&c, 0.5, 0, 1.0)[0] - expected).abs() < 0.01);
    }

    #[test]
    fn top_k_and_top_p_cut_the_tail() {
        let c = candidates(&[1.0, 1.0, 1.0, 1.0]);
        assert_eq!(shares(&c, 1.0, 2, 1.0)[2..], [0.0, 0.0]);
        assert_eq!(shares(&c, 1.0, 0, 0.5)[2..], [0.0, 0.0]);
        assert_eq!(shares(&c, 1.0, 0, 1e-6)[1..], [0.0, 0.0, 0.0]);
    }
}
