//! Weights of every kind of source, against rows that are put together by hand.

use safetensors::serialize;
use safetensors::tensor::TensorView;

use super::*;
use crate::base::ErrorKind;
use crate::format::{CheckpointRules, MemoryFiles};
use crate::graph::Storage;

/// A checkpoint of f32 tensors.
fn files(tensors: &[(&str, &[usize], &[f32])]) -> MemoryFiles {
    let view = |(name, shape, values): &(&str, &[usize], &'static [f32])| {
        let bytes: &[u8] = bytemuck::cast_slice(values);
        ((*name).to_owned(), TensorView::new(safetensors::Dtype::F32, shape.to_vec(), bytes).expect("they fit"))
    };
    let leaked = tensors.iter().map(|(name, shape, values)| (*name, *shape, &*values.to_vec().leak()));
    let leaked: Vec<(&str, &[usize], &'static [f32])> = leaked.collect();
    let mut files = MemoryFiles::new();
    files.insert("model.safetensors", serialize(leaked.iter().map(view), None).expect("a file"));
    files
}

fn spec(rows: usize, k: usize, source: Source) -> WeightSpec {
    WeightSpec { name: "w".into(), rows, k, storage: Storage::Matrix, source }
}

/// A weight in f32, or what is wrong with it.
fn whole(files: &MemoryFiles, spec: &WeightSpec) -> Result<Vec<f32>> {
    let checkpoint = Checkpoint::open(files, &CheckpointRules::default())?;
    check_shapes(std::slice::from_ref(spec), &checkpoint)?;
    let (data, _) = encode(spec, 0..spec.rows, Dtype::F32, &checkpoint)?;
    let all: Vec<f32> = bytemuck::pod_collect_to_vec(&data);
    let row = all.len() / spec.rows;
    // In parts it is the same.
    for at in 1..spec.rows {
        for rows in [0..at, at..spec.rows] {
            let part = rows.start * row..rows.end * row;
            let (data, _) = encode(spec, rows, Dtype::F32, &checkpoint)?;
            assert_eq!(bytemuck::pod_collect_to_vec::<u8, f32>(&data), all[part]);
        }
    }
    Ok(all)
}

fn refused(files: &MemoryFiles, spec: &WeightSpec, parts: &[&str]) {
    let error = whole(files, spec).expect_err("it does not fit");
    assert!(matches!(error.kind(), ErrorKind::BadConfig | ErrorKind::BadModelFile), "{error}");
    for part in parts {
        assert!(error.to_string().contains(part), "{part:?} was expected in {error}");
    }
}

/// `[rows, 4]`, counting up from 1.
const COUNT: [f32; 24] = {
    let mut values = [0.0; 24];
    let mut n = 0;
    while n < 24 {
        values[n] = 1.0 + n as f32;
        n += 1;
    }
    values
};

#[test]
fn layer_scales_are_in_the_weight_and_its_bias() {
    let files = files(&[
        ("proj.weight", &[3, 4], &COUNT[..12]),
        ("proj.bias", &[3], &[7.0, 8.0, 9.0]),
        ("ls1.gamma", &[3], &[2.0, -1.0, 0.5]),
        ("short.gamma", &[2], &[2.0, -1.0]),
    ]);
    let weight = Source::tensor("proj.weight").scaled("ls1.gamma");
    let expected = [2.0, 4.0, 6.0, 8.0, -5.0, -6.0, -7.0, -8.0, 4.5, 5.0, 5.5, 6.0];
    assert_eq!(whole(&files, &spec(3, 4, weight)).expect("it fits"), expected);
    let bias = Source::tensor("proj.bias").scaled("ls1.gamma");
    // Rows are padded to whole vectors.
    assert_eq!(whole(&files, &spec(1, 3, bias)).expect("it fits"), [14.0, -8.0, 4.5, 0.0]);
    // Twice is twice.
    let twice = Source::tensor("proj.bias").scaled("ls1.gamma").scaled("ls1.gamma");
    assert_eq!(whole(&files, &spec(1, 3, twice)).expect("it fits"), [28.0, 8.0, 2.25, 0.0]);
    for (rows, k, tensor) in [(3, 4, "proj.weight"), (1, 3, "proj.bias")] {
        let short = spec(rows, k, Source::tensor(tensor).scaled("short.gamma"));
        refused(&files, &short, &["short.gamma has shape [2]", "1 rows of 3 elements"]);
        refused(&files, &spec(rows, k, Source::tensor(tensor).scaled("ls2.gamma")), &["ls2.gamma"]);
    }
    refused(&files, &spec(3, 5, Source::tensor("proj.weight").scaled("ls1.gamma")), &["proj.weight has shape [3, 4]"]);
}

#[test]
fn parts_of_a_fused_projection_are_its_rows() {
    let files = files(&[("in_proj.weight", &[6, 4], &COUNT), ("in_proj.bias", &[6], &COUNT[..6])]);
    for (first, rows) in [(0, 2), (2, 4), (0, 6), (5, 1)] {
        // A weight of one row is no part here: vectors are taken by their elements.
        if rows > 1 {
            let weight = spec(rows, 4, Source::part("in_proj.weight", first));
            assert_eq!(whole(&files, &weight).expect("it fits"), COUNT[4 * first..][..4 * rows]);
        }
        let bias = whole(&files, &spec(1, rows, Source::part("in_proj.bias", first))).expect("it fits");
        assert_eq!(bias[..rows], COUNT[first..][..rows]);
    }
    refused(&files, &spec(3, 4, Source::part("in_proj.weight", 4)), &["in_proj.weight has shape [6, 4]"]);
    refused(&files, &spec(3, 4, Source::part("in_proj.weight", usize::MAX)), &["in_proj.weight"]);
    refused(&files, &spec(2, 3, Source::part("in_proj.weight", 0)), &["in_proj.weight"]);
    refused(&files, &spec(1, 3, Source::part("in_proj.bias", 4)), &["in_proj.bias has shape [6]"]);
}

/// Two patches' weights, 2 x 2 pixels of three channels: column `3 * pixel + channel` becomes `4 * channel + pixel`.
#[test]
fn patches_by_pixel_become_patches_by_channel() {
    let files = files(&[("patch.weight", &[2, 12], &COUNT)]);
    let source = |channels| Source::ChannelsFirst { tensor: "patch.weight".into(), channels };
    let row = [1.0, 4.0, 7.0, 10.0, 2.0, 5.0, 8.0, 11.0, 3.0, 6.0, 9.0, 12.0];
    let expected = [row, row.map(|x| x + 12.0)].concat();
    assert_eq!(whole(&files, &spec(2, 12, source(3))).expect("it fits"), expected);
    assert_ne!(whole(&files, &spec(2, 12, source(4))).expect("it fits"), expected);
    for channels in [0, 5] {
        refused(&files, &spec(2, 12, source(channels)), &["patch.weight has shape [2, 12]"]);
    }
    refused(&files, &spec(3, 12, source(3)), &["patch.weight has shape [2, 12]"]);
}

#[test]
fn axes_in_front_are_rows() {
    let files = files(&[
        ("cls_token", &[1, 1, 4], &COUNT[..4]),
        ("reg_token", &[1, 2, 4], &COUNT[4..12]),
        ("grid", &[2, 3, 4], &COUNT),
        ("conv", &[2, 3, 2, 2], &COUNT),
    ]);
    let prefix = Source::Concat(vec!["cls_token".into(), "reg_token".into()]);
    assert_eq!(whole(&files, &spec(3, 4, prefix.clone())).expect("it fits"), COUNT[..12]);
    assert_eq!(whole(&files, &spec(6, 4, Source::tensor("grid"))).expect("it fits"), COUNT);
    assert_eq!(whole(&files, &spec(4, 4, Source::part("grid", 2))).expect("it fits"), COUNT[8..]);
    assert_eq!(whole(&files, &spec(2, 12, Source::tensor("conv"))).expect("it fits"), COUNT);
    assert_eq!(whole(&files, &spec(1, 4, Source::tensor("cls_token"))).expect("it fits"), COUNT[..4]);
    refused(&files, &spec(4, 4, prefix), &["reg_token has shape [1, 2, 4]"]);
    // Columns end where an axis does.
    refused(&files, &spec(4, 6, Source::tensor("grid")), &["grid has shape [2, 3, 4]"]);
}

#[test]
fn what_is_no_number_is_found_in_the_tensor_that_has_it() {
    let nan = f32::NAN;
    let files = files(&[
        ("weight", &[2, 4], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, nan, 8.0]),
        ("bias", &[2], &[1.0, 2.0]),
        ("gamma", &[2], &[1.0, nan]),
        ("ones", &[2], &[1.0, 1.0]),
    ]);
    let places = [
        (spec(2, 4, Source::tensor("weight").scaled("ones")), "tensor weight: row 1, column 2"),
        (spec(1, 2, Source::tensor("bias").scaled("gamma")), "tensor gamma: row 1, column 0"),
        (spec(1, 2, Source::part("gamma", 0)), "tensor gamma: row 1, column 0"),
        (spec(2, 4, Source::ChannelsFirst { tensor: "weight".into(), channels: 2 }), "tensor weight: row 1, column 2"),
    ];
    for (spec, place) in places {
        let error = whole(&files, &spec).expect_err("it is no number").to_string();
        let place = place.split(": ");
        for part in place {
            assert!(error.contains(part), "{part:?} was expected in {error}");
        }
    }
}

#[test]
fn of_two_sources_the_one_that_is_there_is_read() {
    let apart = || Source::Concat(vec!["k.weight".into(), "v.weight".into()]);
    let source = Source::part("in_proj.weight", 2).or(apart());
    let joint = files(&[("in_proj.weight", &[6, 4], &COUNT)]);
    assert_eq!(whole(&joint, &spec(4, 4, source.clone())).expect("it fits"), COUNT[8..]);
    let separate = files(&[("k.weight", &[2, 4], &COUNT[..8]), ("v.weight", &[2, 4], &COUNT[16..])]);
    assert_eq!(whole(&separate, &spec(4, 4, source.clone())).expect("it fits"), [&COUNT[..8], &COUNT[16..]].concat());
    // The first is asked for where neither is there.
    refused(&files(&[("k.weight", &[2, 4], &COUNT[..8])]), &spec(4, 4, source.clone()), &["in_proj.weight"]);
    refused(&separate, &spec(6, 4, source.clone()), &["v.weight has shape [2, 4]"]);
    let scaled =
        files(&[("k.weight", &[2, 4], &COUNT[..8]), ("v.weight", &[2, 4], &COUNT[..8]), ("by", &[4], &[2.0; 4])]);
    let doubled: Vec<f32> = COUNT[..8].repeat(2).iter().map(|x| 2.0 * x).collect();
    assert_eq!(whole(&scaled, &spec(4, 4, source.scaled("by"))).expect("it fits"), doubled);
}
