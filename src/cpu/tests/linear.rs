use super::random::{Random, assert_close, poisoned};
use crate::cpu::fast::{self, Workspace};
use crate::cpu::twins::linear::{Linear, Weight, linear};
use crate::kernels::{Activation, Function};
use crate::quant::{encode_rows, layout};
use crate::tensor::Dtype;

const DTYPES: [Dtype; 4] = [Dtype::F32, Dtype::F16, Dtype::Q8, Dtype::Q4];

/// What a case varies besides its numbers.
#[derive(Debug, Clone, Copy)]
struct Case {
    dtype: Dtype,
    tokens: usize,
    k: usize,
    rows: usize,
    first_column: usize,
    after: usize,
    activation: Activation,
    bias: bool,
    residual: bool,
}

fn compare(case: Case, random: &mut Random, workspace: &mut Workspace) {
    let Case { dtype, tokens, k, rows, first_column, after, activation, bias, residual } = case;
    let encoded = encode_rows(dtype, &random.vector(rows * k), k).expect("encodes");
    let layout = layout(dtype, k);
    let columns = activation.width(rows);
    let out_stride = first_column + columns + after;
    let (x, b, r) = (random.vector(tokens * k), random.vector(rows), random.vector(tokens * out_stride));
    let op = Linear {
        tokens,
        k,
        rows,
        first_column,
        out_stride,
        x: &x,
        weight: Weight {
            dtype,
            data: &encoded.data,
            scales: &encoded.scales,
            row_bytes: layout.row_bytes,
            row_scales: layout.row_scales,
        },
        bias: bias.then_some(&b),
        residual: residual.then_some(&r),
        activation,
    };
    let (mut plain, mut quick) = (poisoned(tokens * out_stride), poisoned(tokens * out_stride));
    linear(&op, &mut plain);
    fast::linear::linear(&op, &mut quick, workspace);
    let quantised = matches!(dtype, Dtype::Q8 | Dtype::Q4);
    // A product of gate and up has the errors of both.
    let sums = if activation.is_gated() { 2.0 } else { 1.0 };
    assert_close(&format!("{case:?}"), &plain, &quick, sums * if quantised { 1e-4 } else { 3e-6 });
}

const PLAIN: Case = Case {
    dtype: Dtype::F32,
    tokens: 1,
    k: 64,
    rows: 8,
    first_column: 0,
    after: 0,
    activation: Activation::None,
    bias: false,
    residual: false,
};

#[test]
pub fn every_dtype_and_size() {
    let (mut random, mut workspace) = (Random::new(1), Workspace::default());
    for dtype in DTYPES {
        for tokens in [1, 2, 3, 4, 5, 6, 7, 17, 64] {
            for k in [4, 28, 32, 36, 172, 588] {
                let rows = 1 + random.below(37);
                compare(Case { dtype, tokens, k, rows, ..PLAIN }, &mut random, &mut workspace);
            }
        }
    }
}

fn every_activation() -> impl Iterator<Item = Activation> {
    let maps = Function::all(3.0).map(Activation::Map).into_iter();
    maps.chain(Function::all(3.0).map(Activation::Gated)).chain([Activation::None])
}

#[test]
pub fn every_epilogue() {
    let (mut random, mut workspace) = (Random::new(2), Workspace::default());
    for dtype in DTYPES {
        for activation in every_activation() {
            for (bias, residual) in [(false, false), (true, false), (false, true), (true, true)] {
                for tokens in [1, 3, 13] {
                    // Some columns at least, since errors are measured by the largest output.
                    let rows = 2 * (4 + random.below(12));
                    let (first_column, after) = (random.below(5), random.below(9));
                    let case = Case { dtype, tokens, k: 44, rows, first_column, after, activation, bias, residual };
                    compare(case, &mut random, &mut workspace);
                }
            }
        }
    }
}

#[test]
fn large_enough_for_threads() {
    let (mut random, mut workspace) = (Random::new(3), Workspace::default());
    for dtype in DTYPES {
        for tokens in [1, 4, 33] {
            compare(Case { dtype, tokens, k: 640, rows: 1003, ..PLAIN }, &mut random, &mut workspace);
        }
    }
}

#[test]
pub fn what_is_not_finite_stays_so() {
    let encoded = encode_rows(Dtype::Q8, &[0.5; 64 * 2], 64).expect("encodes");
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for tokens in [1, 9] {
            let mut x = vec![1.0; 64 * tokens];
            x[3] = bad;
            let weight =
                Weight { dtype: Dtype::Q8, data: &encoded.data, scales: &encoded.scales, row_bytes: 64, row_scales: 2 };
            let op = Linear {
                tokens,
                k: 64,
                rows: 2,
                first_column: 0,
                out_stride: 2,
                x: &x,
                weight,
                bias: None,
                residual: None,
                activation: Activation::None,
            };
            let mut out = vec![0.0; 2 * tokens];
            fast::linear::linear(&op, &mut out, &mut Workspace::default());
            assert!(out[..2].iter().all(|y| !y.is_finite()), "{bad} became {out:?}");
            assert!(out[2..].iter().all(|y| (y - 32.0).abs() < 1e-2), "{out:?}");
        }
    }
}

#[test]
fn by_hand() {
    // [1, 2, 3, 4] times the rows [1, 0, 0, 1] and [0.5, 0.5, 0, -1], plus bias, plus residual.
    let encoded = encode_rows(Dtype::F32, &[1.0, 0.0, 0.0, 1.0, 0.5, 0.5, 0.0, -1.0], 4).expect("encodes");
    let weight = Weight { dtype: Dtype::F32, data: &encoded.data, scales: &[], row_bytes: 16, row_scales: 0 };
    let mut op = Linear {
        tokens: 1,
        k: 4,
        rows: 2,
        first_column: 1,
        out_stride: 4,
        x: &[1.0, 2.0, 3.0, 4.0],
        weight,
        bias: Some(&[10.0, 20.0]),
        residual: Some(&[0.0, 100.0, 200.0, 0.0]),
        activation: Activation::None,
    };
    let mut out = [-1.0; 4];
    linear(&op, &mut out);
    assert_eq!(out, [-1.0, 115.0, 217.5, -1.0]);
    // gelu(5) = 4.99999977 (tanh form), times up = -2.5.
    (op.bias, op.residual, op.activation) = (None, None, Activation::Gated(Function::GeluTanh));
    let mut out = [-1.0; 4];
    linear(&op, &mut out);
    assert!((out[1] + 12.5).abs() < 1e-5, "{out:?}");
    assert_eq!([out[0], out[2], out[3]], [-1.0; 3]);
}
