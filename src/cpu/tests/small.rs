//! Fast norms, activations, argmax and top-k against their twins.

use super::random::{Random, assert_close, poisoned};
use crate::cpu::fast;
use crate::cpu::twins::norm::Norm;
use crate::cpu::twins::{argmax, elementwise, top_k};

#[test]
pub fn norms() {
    let mut random = Random::new(21);
    for width in [4, 12, 64, 100, 642] {
        for tokens in [1, 3] {
            let x: Vec<f32> = random.vector(width * tokens).iter().map(|x| 3.0 * x + 5.0).collect();
            let (weight, bias, residual) = (random.vector(width), random.vector(width), random.vector(width * tokens));
            for bias in [Some(&bias[..]), None] {
                for residual in [None, Some(&residual[..])] {
                    let op = Norm { width, x: &x, weight: &weight, bias, eps: 1e-6, residual };
                    let (mut plain, mut quick) = (poisoned(width * tokens), poisoned(width * tokens));
                    op.apply(&mut plain);
                    fast::norm::norm(&op, &mut quick);
                    assert_close(&format!("{width} {tokens}"), &plain, &quick, 3e-6);
                }
            }
        }
    }
}

#[test]
pub fn activations_over_their_whole_range() {
    let x: Vec<f32> = (-40_000..=40_000).map(|i| i as f32 * 1e-3).chain([-1e30, 1e30, -0.0]).collect();
    let (mut gelu, mut capped) = (poisoned(x.len()), poisoned(x.len()));
    fast::elementwise::gelu(&x, &mut gelu);
    fast::elementwise::softcap(&x, 7.0, &mut capped);
    for ((x, gelu), capped) in x.iter().zip(gelu).zip(capped) {
        let plain = elementwise::gelu_tanh(*x);
        assert!((plain - gelu).abs() <= 1e-6 * plain.abs().max(1e-1), "gelu({x}): plain {plain}, fast {gelu}");
        let plain = elementwise::soft_cap(*x, 7.0);
        assert!((plain - capped).abs() <= 3e-6, "softcap({x}): plain {plain}, fast {capped}");
    }
    let pairs: Vec<[f32; 2]> = x.iter().map(|x| [*x, 0.5]).take(1003).collect();
    let mut out = poisoned(pairs.len());
    fast::elementwise::geglu(&pairs, &mut out);
    for ([gate, up], out) in pairs.iter().zip(out) {
        assert!((elementwise::gelu_tanh(*gate) * up - out).abs() <= 1e-6 * gate.abs().max(1.0), "geglu({gate})");
    }
}

#[test]
pub fn no_number_stays_none() {
    let mut out = [0.0; 9];
    fast::elementwise::gelu(&[f32::NAN; 9], &mut out);
    assert!(out.iter().all(|x| x.is_nan()), "{out:?}");
    fast::elementwise::softcap(&[f32::NAN; 9], 3.0, &mut out);
    assert!(out.iter().all(|x| x.is_nan()), "{out:?}");
}

#[test]
pub fn argmax_of_any_length() {
    let mut random = Random::new(22);
    for n in [0, 1, 7, 8, 9, 100, 1001] {
        // Few distinct values, so that ties are common.
        let x: Vec<f32> = (0..n).map(|_| random.below(20) as f32 - 30.0).collect();
        let (plain, quick) = (argmax::summarise(&x, 5), fast::argmax::summarise(&x, 5));
        assert_eq!(plain[..2], quick[..2], "{n}");
        let (a, b) = (f32::from_bits(plain[2]), f32::from_bits(quick[2]));
        assert!((a - b).abs() <= 1e-5 * a, "{n}: {a} {b}");
    }
}

#[test]
fn argmax_notices_what_is_no_number() {
    for at in [0, 3, 8, 20] {
        let mut x = [1.0; 21];
        x[at] = f32::NAN;
        for part in [argmax::summarise(&x, 0), fast::argmax::summarise(&x, 0)] {
            assert_eq!(argmax::merge(&[argmax::summarise(&[2.0], 30), part])[0], u32::MAX, "at {at}");
        }
    }
}

#[test]
fn top_k_of_any_length() {
    let mut random = Random::new(23);
    for n in [0usize, 1, 5, 64, 300] {
        for k in [1usize, 5, 64] {
            let mut x: Vec<(f32, u32)> = (0..n).map(|i| (random.below(20) as f32 - 9.0, i as u32)).collect();
            if n > 4 {
                x[3].0 = f32::INFINITY;
                x[4].0 = -0.0;
            }
            let (mut plain, mut quick) = (vec![[7; 2]; k], vec![[7; 2]; k]);
            top_k::best(&mut x.iter().copied(), &mut plain);
            fast::top_k::best(&mut x.iter().copied(), &mut quick);
            assert_eq!(plain, quick, "{n} {k}");
        }
    }
}
