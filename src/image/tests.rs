use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::root::root;

use super::*;
use crate::base::{ErrorKind, Fields, LayerError};

fn folder(name: &str) -> PathBuf {
    root().join("tests").join(name)
}

fn picture(path: &Path) -> Rgb8 {
    decode(&fs::read(path).expect("the picture is there"), &path.display().to_string()).expect("it is a picture")
}

fn goldens() -> Vec<Value> {
    let text = fs::read_to_string(folder("goldens/pictures/resize.json")).expect("the goldens are there");
    let goldens: Value = serde_json::from_str(&text).expect("they are JSON");
    goldens["pictures"].as_array().expect("a list").clone()
}

fn means(picture: &Rgb8) -> [f64; 3] {
    let pixels = (picture.width() * picture.height()) as f64;
    [0, 1, 2].map(|colour| {
        let sum: u64 = picture.data().iter().skip(colour).step_by(3).map(|byte| u64::from(*byte)).sum();
        sum as f64 / pixels
    })
}

#[test]
fn every_format_decodes_to_the_reference_pixels() {
    for golden in goldens() {
        let file = golden["file"].as_str().expect("a name");
        let found = picture(&folder("pictures").join(file));
        assert_eq!(json!([found.width(), found.height()]), json!([golden["width"], golden["height"]]), "{file}");
        // JPEG decoders differ in how they round and how they widen the colours' smaller planes.
        let tolerance = if golden["lossless"] == json!(true) { 1e-9 } else { 0.5 };
        for (mean, expected) in means(&found).iter().zip(golden["mean_rgb"].as_array().expect("three")) {
            assert!((mean - expected.as_f64().expect("a number")).abs() < tolerance, "{file}: {:?}", means(&found));
        }
        if golden["lossless"] == json!(true) {
            let data = found.data();
            assert_eq!(json!([data[..3], data[data.len() - 3..]]), golden["corner_rgb"], "{file}");
        }
    }
}

#[test]
fn resized_pixels_are_pillows() {
    let mut compared = 0;
    for golden in goldens() {
        let file = golden["file"].as_str().expect("a name");
        let original = picture(&folder("pictures").join(file));
        for resized in golden["resized"].as_array().expect("a list") {
            let Some(stored) = resized["file"].as_str() else { continue };
            let filter = if resized["filter"] == json!("bicubic") { Filter::Bicubic } else { Filter::Bilinear };
            let size = resized["size"].as_u64().expect("a size") as usize;
            let expected = picture(&folder("goldens/pictures").join(stored));
            let found = resize(&original, size, size, filter);
            if golden["lossless"] == json!(true) {
                assert_eq!(found, expected, "{stored}");
            } else {
                let apart: Vec<u8> = found.data().iter().zip(expected.data()).map(|(a, b)| a.abs_diff(*b)).collect();
                let mean = apart.iter().map(|far| f64::from(*far)).sum::<f64>() / apart.len() as f64;
                assert!(apart.iter().all(|far| *far <= 8) && mean < 0.75, "{stored}: {mean} levels apart on average");
            }
            compared += 1;
        }
    }
    assert!(compared >= 20, "{compared} pictures compared");
}

#[test]
fn prepared_pixels_are_those_of_transformers() {
    let goldens = fs::read(folder("goldens/pg1-hd16/golden.safetensors")).expect("the goldens are there");
    let goldens = safetensors::SafeTensors::deserialize(&goldens).expect("they are tensors");
    let pixels = goldens.tensor("cat-caption/vision/pixel_values").expect("the tap is there");
    let expected: Vec<f32> = bytemuck::pod_collect_to_vec(pixels.data());
    let text = fs::read_to_string(folder("goldens/pg1-hd16/preprocessor_config.json")).expect("it is there");
    let config: Value = serde_json::from_str(&text).expect("it is JSON");
    let preprocessor = Preprocessor::from_hf(Some(&config), 56).expect("it fits");
    let found = preprocessor.apply(&picture(&folder("pictures/cat.png")));
    for (index, value) in found.iter().enumerate() {
        // [S, S, 3] here, [3, S, S] there.
        let (pixel, colour) = (index / 3, index % 3);
        assert_eq!(*value, expected[colour * 56 * 56 + pixel], "pixel {pixel}, colour {colour}");
    }
    assert_eq!(Preprocessor::from_hf(None, 56), Ok(preprocessor));
}

/// Noise from a hash of each byte's place, as the reference makes it.
fn noise(width: usize, height: usize) -> Rgb8 {
    let byte = |place: u32| {
        let mut x = place.wrapping_mul(0x9E37_79B1);
        x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
        ((x ^ (x >> 13)) >> 24) as u8
    };
    Rgb8::new(width, height, (0..(width * height * 3) as u32).map(byte).collect()).expect("a picture")
}

fn prepare(case: &Value, side: usize) -> Preprocessor {
    let config = &case["config"];
    match case["kind"].as_str().expect("a kind") {
        "vit" => Preprocessor::square(Some(config), side, Filter::Bilinear),
        "patches" => Preprocessor::patches(Some(config), 4, 256),
        "timm" => Preprocessor::from_timm(&Fields::of("config.json", config).expect("an object"), side),
        _ => Preprocessor::from_hf(Some(config), side),
    }
    .expect("it can be done")
}

#[test]
fn pictures_of_all_shapes_are_prepared_as_the_references_are() {
    let json = fs::read_to_string(folder("goldens/pictures/prepared.json")).expect("the goldens are there");
    let json: Value = serde_json::from_str(&json).expect("they are JSON");
    let tensors = fs::read(folder("goldens/pictures/prepared.safetensors")).expect("the goldens are there");
    let tensors = safetensors::SafeTensors::deserialize(&tensors).expect("they are tensors");
    let side = json["side"].as_u64().expect("a number") as usize;
    let cases = json["cases"].as_array().expect("a list");
    for case in cases {
        let name = case["tensor"].as_str().expect("a name");
        let expected: Vec<f32> = bytemuck::pod_collect_to_vec(tensors.tensor(name).expect("it is there").data());
        let [height, width] = [0, 1].map(|n| case["size"][n].as_u64().expect("a number") as usize);
        let (picture, preprocessor) = (noise(width, height), prepare(case, side));
        assert_eq!(json!(preprocessor.target(&picture)), case["target"], "{name}");
        let found = preprocessor.apply(&picture);
        assert_eq!(found.len(), expected.len(), "{name}");
        let far = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(far <= 1e-6, "{name}: {far}");
    }
    assert_eq!(cases.len(), 55);
}

#[test]
fn a_long_thin_picture_is_scaled_where_it_is_kept_alone() {
    let config = json!({"crop_pct": 1.0, "crop_mode": "center"});
    let fields = Fields::of("config.json", &config).expect("an object");
    let preprocessor = Preprocessor::from_timm(&fields, 224).expect("it can be done");
    // Scaled as a whole it would have 800 million pixels.
    assert_eq!(preprocessor.apply(&noise(1, 16_384)).len(), 224 * 224 * 3);
    let preprocessor = Preprocessor::patches(None, 16, 256).expect("it can be done");
    assert_eq!(preprocessor.target(&noise(4000, 1)), [16, 4096]);
    assert_eq!(preprocessor.with_budget(9).target(&noise(4000, 17)), [16, 144]);
}

#[test]
fn resizing_to_the_same_size_changes_nothing() {
    let original = picture(&folder("pictures/cat-small.bmp"));
    assert_eq!(resize(&original, 61, 41, Filter::Bicubic), original);
    // A single pixel fills any size.
    let dot = Rgb8::new(1, 1, vec![3, 200, 255]).expect("a pixel");
    assert_eq!(resize(&dot, 5, 3, Filter::Bicubic).data(), [3, 200, 255].repeat(15));
}

#[test]
fn alpha_is_laid_over_white() {
    let found = Rgb8::from_rgba(3, 1, &[10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 255, 128]).expect("three pixels");
    assert_eq!(found.data(), [10, 20, 30, 255, 255, 255, 127, 177, 255]);
}

#[test]
fn what_is_no_picture_says_so() {
    let cat = fs::read(folder("pictures/cat.png")).expect("it is there");
    let kind = |bytes: &[u8]| decode(bytes, "x.png").map_err(|error| (error.kind(), error.to_string()));
    for (bytes, says) in [
        (&b""[..], "x.png (0 bytes) cannot be decoded: the file is empty"),
        (b"hello", "x.png (5 bytes) cannot be decoded: its first bytes are not those of"),
        (&cat[..2000], "x.png (2000 bytes) cannot be decoded"),
        (&cat[..20], "x.png (20 bytes) cannot be decoded"),
    ] {
        let (kind, message) = kind(bytes).expect_err("it is no picture");
        assert_eq!(kind, ErrorKind::BadImage);
        assert!(message.starts_with(says), "{message}");
    }
}

#[test]
fn sizes_out_of_range_are_refused_before_anything_is_allocated() {
    let mut huge = fs::read(folder("pictures/cat-small.bmp")).expect("it is there");
    huge[18..22].copy_from_slice(&30_000_u32.to_le_bytes());
    huge[22..26].copy_from_slice(&30_000_u32.to_le_bytes());
    let size = ImageError::Size { width: 30_000, height: 30_000 };
    assert_eq!(decode(&huge, "huge.bmp"), Err(size));
    assert_eq!(Rgb8::new(0, 4, vec![]), Err(ImageError::Size { width: 0, height: 4 }));
    assert_eq!(Rgb8::new(30_000, 1, vec![0; 90_000]), Err(ImageError::Size { width: 30_000, height: 1 }));
    let bytes = ImageError::Bytes { width: 2, height: 2, expected: 12, found: 11 };
    assert_eq!(Rgb8::new(2, 2, vec![0; 11]), Err(bytes));
}

#[test]
fn every_cut_of_a_file_is_an_error_or_a_picture() {
    for name in ["cat-small.bmp", "cat-small.gif", "cat-small.webp", "rocket-exif6.jpg"] {
        let bytes = fs::read(folder("pictures").join(name)).expect("it is there");
        for end in (0..bytes.len()).step_by(97) {
            // No panic; decoders may make up what is missing at the end.
            let _ = decode(&bytes[..end], name);
        }
    }
}

#[test]
fn a_config_that_does_not_fit_is_refused() {
    for (config, kind, says) in [
        (json!([]), ErrorKind::BadConfig, " is [], expected an object"),
        (
            json!({"size": {"height": 448, "width": 448}}),
            ErrorKind::BadConfig,
            ": size is {\"height\":448,\"width\":448}, expected height and width 224, the vision tower's image_size",
        ),
        (
            json!({"size": {"shortest_edge": 224}}),
            ErrorKind::BadConfig,
            ": size is {\"shortest_edge\":224}, expected height and width 224, the vision tower's image_size",
        ),
        (json!({"do_resize": false}), ErrorKind::Unsupported, ": do_resize is false, expected true"),
        (json!({"do_resize": 1}), ErrorKind::BadConfig, ": do_resize is 1, expected true or false"),
        (json!({"do_rescale": "yes"}), ErrorKind::BadConfig, ": do_rescale is \"yes\", expected true or false"),
        (json!({"do_normalize": []}), ErrorKind::BadConfig, ": do_normalize is [], expected true or false"),
        (json!({"resample": 0}), ErrorKind::Unsupported, ": resample is 0, expected 2 (bilinear) or 3 (bicubic)"),
        (json!({"resample": "b"}), ErrorKind::Unsupported, ": resample is \"b\", expected 2 (bilinear) or 3 (bicubic)"),
        (json!({"rescale_factor": 0}), ErrorKind::BadConfig, ": rescale_factor is 0, expected a positive number"),
        (json!({"rescale_factor": "1"}), ErrorKind::BadConfig, ": rescale_factor is \"1\", expected a positive number"),
        (json!({"image_mean": [0.5]}), ErrorKind::BadConfig, ": image_mean is [0.5], expected a list of 3"),
        (json!({"image_mean": 0.5}), ErrorKind::BadConfig, ": image_mean is 0.5, expected a list of 3"),
        (
            json!({"image_mean": [0.5, 1e300, 0.5]}),
            ErrorKind::BadConfig,
            ": image_mean[1] is 1e+300, expected a number that fits in 32 bits",
        ),
        (json!({"image_std": [1, 1, 0]}), ErrorKind::BadConfig, ": image_std[2] is 0, expected a positive number"),
        (
            json!({"image_std": [1, null, 1]}),
            ErrorKind::BadConfig,
            ": image_std[1] is null, expected a positive number",
        ),
    ] {
        let error = Preprocessor::from_hf(Some(&config), 224).expect_err("it does not fit");
        assert_eq!(error.kind(), kind, "{config}");
        assert_eq!(error.to_string(), format!("preprocessor_config.json{says}"));
    }
    let nulls = json!({
        "size": null, "do_resize": null, "do_rescale": null, "do_normalize": null, "resample": null,
        "rescale_factor": null, "image_mean": null, "image_std": null
    });
    assert_eq!(Preprocessor::from_hf(Some(&nulls), 224), Preprocessor::from_hf(None, 224));
    let unscaled = json!({"do_rescale": false, "do_normalize": false, "resample": 2, "size": 1});
    let dot = Rgb8::new(1, 1, vec![3, 200, 255]).expect("a pixel");
    let preprocessor = Preprocessor::from_hf(Some(&unscaled), 1).expect("it fits");
    assert_eq!(preprocessor.apply(&dot), [3.0, 200.0, 255.0]);
}
