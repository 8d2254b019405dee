//! Fast norms, activations, argmax and top-k against their twins.

use super::random::{Random, assert_close, poisoned};
use crate::cpu::twins::norm::Norm;
use crate::cpu::twins::{argmax, top_k};
use crate::cpu::{activation, fast};
use crate::kernels::Function;

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
    let pairs: Vec<[f32; 2]> = x.iter().map(|x| [*x, 0.5]).collect();
    for function in Function::all(0.25) {
        let (mut mapped, mut gated) = (poisoned(x.len()), poisoned(x.len()));
        fast::activate::map(function, &x, &mut mapped);
        fast::activate::gated(function, &pairs, &mut gated);
        for (x, [mapped, gated]) in x.iter().zip(mapped.iter().zip(gated).map(|(m, g)| [*m, g])) {
            let plain = activation::plain(function, *x);
            let near = 1e-6 * plain.abs().max(0.1);
            assert!((plain - mapped).abs() <= near, "{function:?}({x}): plain {plain}, fast {mapped}");
            assert_eq!(mapped * 0.5, gated, "{function:?}({x}) * 0.5");
        }
    }
}

#[test]
pub fn no_number_stays_none() {
    for function in Function::all(3.0) {
        let mut out = [0.0; 9];
        fast::activate::map(function, &[f32::NAN; 9], &mut out);
        assert!(out.iter().all(|x| x.is_nan()), "{function:?}: {out:?}");
        assert!(activation::plain(function, f32::NAN).is_nan(), "{function:?}");
    }
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
