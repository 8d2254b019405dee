use half::f16;
use proptest::prelude::*;

use super::*;
use crate::tensor::Dtype;

const WEIGHTS: [Dtype; 4] = [Dtype::F32, Dtype::F16, Dtype::Q8, Dtype::Q4];

fn round_trip(dtype: Dtype, rows: &[f32], k: usize) -> (Encoded, Vec<f32>) {
    let encoded = encode_rows(dtype, rows, k).expect("encodes");
    let decoded = decode_rows(dtype, &encoded.data, &encoded.scales, rows.len() / k, k).expect("decodes");
    (encoded, decoded)
}

/// Rows of any magnitude that weights have, with zeros, repeated values and exact grid points in between.
fn matrix() -> impl Strategy<Value = (usize, Vec<f32>)> {
    let element = prop_oneof![
        6 => -1.0f32..1.0,
        1 => Just(0.0f32),
        1 => Just(-0.0f32),
        2 => (-9i8..9).prop_map(f32::from),
        1 => Just(1.0f32),
    ];
    (1usize..70, 1usize..4, -30i32..10).prop_flat_map(move |(k, n, exponent)| {
        let scale = 2.0f32.powi(exponent);
        (Just(k), proptest::collection::vec(element.clone().prop_map(move |x| x * scale), k * n))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn encoding_what_was_decoded_changes_nothing((k, rows) in matrix()) {
        for dtype in WEIGHTS {
            let (encoded, decoded) = round_trip(dtype, &rows, k);
            let (again, same) = round_trip(dtype, &decoded, k);
            prop_assert_eq!(&encoded, &again, "{}", dtype);
            prop_assert_eq!(&decoded, &same, "{}", dtype);
        }
    }

    #[test]
    fn the_error_stays_below_half_a_level((k, rows) in matrix()) {
        for (dtype, levels) in [(Dtype::Q8, 127.0), (Dtype::Q4, 7.0)] {
            let (_, decoded) = round_trip(dtype, &rows, k);
            for (x, y) in rows.chunks(k).flat_map(|r| r.chunks(BLOCK)).zip(decoded.chunks(k).flat_map(|r| r.chunks(BLOCK))) {
                let max = x.iter().fold(0.0f32, |m, v| m.max(v.abs()));
                let square: f32 = x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum();
                // Half a level each; scales under 7.6e-6 are powers of two, up to twice as coarse, and multiples of
                // 6e-8.
                let coarse = if max < 128.0 * 127.0 * 6e-8 { 2.0 } else { 1.0 };
                let each = 0.51 * coarse * max / levels + 6e-8;
                prop_assert!(square <= each * each * x.len() as f32, "{dtype}: {x:?} became {y:?}");
            }
        }
    }

    #[test]
    fn sizes_follow_the_layout((k, rows) in matrix()) {
        for dtype in WEIGHTS {
            let (encoded, _) = round_trip(dtype, &rows, k);
            let layout = layout(dtype, k);
            prop_assert_eq!(encoded.data.len(), layout.data_bytes(rows.len() / k));
            prop_assert_eq!(encoded.scales.len(), layout.scale_bytes(rows.len() / k));
        }
    }

    #[test]
    fn any_bytes_decode_and_encode_stably(data in proptest::collection::vec(any::<u8>(), 32), bits in any::<u16>()) {
        let scale = f16::from_bits(bits);
        prop_assume!(scale.is_finite());
        for (dtype, data) in [(Dtype::Q8, &data[..]), (Dtype::Q4, &data[..16])] {
            let values = decode_rows(dtype, data, &scale.to_le_bytes(), 1, BLOCK).expect("decodes");
            // -128 is no level of q8; a foreign file may hold it at the very top of the range.
            let Ok(first) = encode_rows(dtype, &values, BLOCK) else { continue };
            let (second, _) = round_trip(dtype, &decode_rows(dtype, &first.data, &first.scales, 1, BLOCK).expect("decodes"), BLOCK);
            prop_assert_eq!(first, second);
        }
    }
}

#[test]
fn tiny_blocks_are_stable_at_every_size() {
    // Every half unit of the smallest f16 up to where scales become regular, on one, two and both sides.
    for halves in 0..40_000 {
        let top = halves as f32 * 0.5 * 5.960_464_5e-8;
        for rows in [vec![top], vec![top, -top * 0.99, top * 0.3], vec![-top, top, top * 0.5, -top * 0.125]] {
            for dtype in [Dtype::Q8, Dtype::Q4] {
                let (encoded, decoded) = round_trip(dtype, &rows, rows.len());
                assert_eq!(encoded, round_trip(dtype, &decoded, rows.len()).0, "{dtype} {rows:?}");
            }
        }
    }
}

#[test]
fn q8_by_hand() {
    // Largest 127 * 0.5, so the scale is 0.5; 0.25 lies between levels 0 and 1 and goes to the even one.
    let (encoded, decoded) = round_trip(Dtype::Q8, &[63.5, -63.5, 0.25, 0.75, -1.0], 5);
    assert_eq!(&encoded.data[..5], &[127, 129, 0, 2, 254]);
    assert_eq!(&encoded.data[5..], &[0; 27]);
    assert_eq!(encoded.scales, [0x00, 0x38, 0, 0]);
    assert_eq!(decoded, [63.5, -63.5, 0.0, 1.0, -1.0]);
}

#[test]
fn q4_by_hand() {
    // The extreme 8 goes to level -8, so the scale is -1.
    let mut row = [0.0f32; 32];
    (row[0], row[1], row[16], row[31]) = (8.0, -7.0, 3.0, -1.0);
    let (encoded, decoded) = round_trip(Dtype::Q4, &row, 32);
    assert_eq!(encoded.scales, [0x00, 0xbc, 0, 0]);
    assert_eq!(encoded.data[0], 5 << 4);
    assert_eq!(encoded.data[1], 8 << 4 | 15);
    assert_eq!(encoded.data[15], 9 << 4 | 8);
    assert_eq!(decoded, row);
}

#[test]
fn padding_decodes_to_zero() {
    for dtype in WEIGHTS {
        let (encoded, _) = round_trip(dtype, &[1.0; 33], 33);
        let padded = layout(dtype, 33).padded_k;
        let all = decode_rows(dtype, &encoded.data, &encoded.scales, 1, padded).expect("decodes");
        assert!(all[33..].iter().all(|&x| x == 0.0), "{dtype}");
    }
}

#[test]
fn even_parts_join_to_the_whole() {
    let rows: Vec<f32> = (0..7 * 40).map(|i| ((i * 37) % 101) as f32 - 50.0).collect();
    for dtype in WEIGHTS {
        let whole = encode_rows(dtype, &rows, 40).expect("encodes");
        let parts: Vec<Encoded> = rows.chunks(80).map(|p| encode_rows(dtype, p, 40).expect("encodes")).collect();
        assert_eq!(whole.data, parts.iter().flat_map(|p| p.data.clone()).collect::<Vec<_>>());
        assert_eq!(whole.scales, parts.iter().flat_map(|p| p.scales.clone()).collect::<Vec<_>>());
    }
}

#[test]
fn bad_weights_are_named() {
    for dtype in WEIGHTS {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut rows = vec![0.5; 3 * 40];
            rows[2 * 40 + 7] = bad;
            let mut error = encode_rows(dtype, &rows, 40).expect_err("not finite");
            assert!(matches!(error, QuantError::NotFinite { row: 2, column: 7, .. }), "{error}");
            assert_eq!(error.place(), Some([&mut 2, &mut 7]));
        }
        let top = encode_rows(dtype, &[0.0, 3.0e38], 2);
        assert_eq!(top.is_ok(), dtype == Dtype::F32, "{dtype}: {top:?}");
    }
    assert!(matches!(encode_rows(Dtype::Q8, &[0.0; 5], 3), Err(QuantError::Size { .. })));
    assert!(matches!(encode_rows(Dtype::Q8, &[], 0), Err(QuantError::Size { .. })));
    assert!(matches!(decode_rows(Dtype::Q4, &[0; 15], &[0; 2], 1, 32), Err(QuantError::Size { .. })));
}

/// Rows may be encoded at the same time: what is named is the same on any number of cores.
#[test]
fn of_several_bad_rows_the_first_is_named() {
    for dtype in WEIGHTS {
        let mut rows = vec![0.5; 600 * 40];
        for row in [599, 401, 17, 300, 18] {
            rows[row * 40 + 3] = f32::NAN;
        }
        let error = encode_rows(dtype, &rows, 40).expect_err("not finite");
        assert!(matches!(error, QuantError::NotFinite { row: 17, column: 3, .. }), "{dtype}: {error}");
    }
}

#[test]
fn the_largest_magnitudes_fit() {
    for (dtype, limit) in [(Dtype::F16, 65504.0), (Dtype::Q8, 65504.0 * 127.0), (Dtype::Q4, 65504.0 * 8.0)] {
        for x in [limit, -limit] {
            let (_, decoded) = round_trip(dtype, &[x, 0.0], 2);
            assert_eq!(decoded, [x, 0.0], "{dtype}");
        }
    }
}

#[test]
fn source_formats_widen_exactly() {
    let mut out = [0.0; 2];
    SourceFormat::Bf16.widen(&[0x80, 0x3f, 0x20, 0xc1], &mut out).expect("widens");
    assert_eq!(out, [1.0, -10.0]);
    SourceFormat::F16.widen(&[0x00, 0x3c, 0x01, 0x00], &mut out).expect("widens");
    assert_eq!(out, [1.0, 2.0f32.powi(-24)]);
    SourceFormat::F32.widen(&[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0], &mut out).expect("widens");
    assert_eq!(out, [1.0, -2.0]);
    assert!(SourceFormat::F16.widen(&[0; 3], &mut out).is_err());
}
