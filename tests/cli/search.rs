//! `ocelli embed`, `features`, `index` and `search`, with a small SigLIP of random weights.

use std::fs;

use serde_json::json;

use super::program::{below_tests, ocelli, scratch};

const MODEL: &str = "goldens/siglip-vision";

#[test]
fn an_index_is_made_brought_up_to_date_and_searched() {
    let (model, folder) = (below_tests(MODEL), scratch("indexed"));
    fs::create_dir_all(folder.join("below")).expect("a folder");
    for (from, to) in [("cat.png", "cat.png"), ("rocket.png", "below/rocket.png"), ("cat.png", "copy.png")] {
        fs::copy(below_tests(&format!("pictures/{from}")), folder.join(to)).expect("it is copied");
    }
    fs::write(folder.join("broken.png"), b"no picture").expect("it is written");
    let (out, folder_name) = (scratch("pictures.index").display().to_string(), folder.display().to_string());
    let index = |more: &[&str]| {
        let all = ["index", &folder_name, "--out", &out, "--model", &model, "--device", "cpu", "--json"];
        ocelli(&[&all[..], more].concat())
    };
    let told = index(&["--doubles"]).good();
    assert_eq!((&told["indexed"], &told["skipped"]), (&json!(3), &json!(0)), "{told}");
    assert_eq!(told["failed"][0]["source"], "broken.png", "{told}");
    assert_eq!(told["doubles"], json!([["cat.png", "copy.png"]]), "{told}");

    fs::remove_file(folder.join("copy.png")).expect("it is removed");
    let told = index(&[]).good();
    assert_eq!((&told["indexed"], &told["skipped"], &told["removed"]), (&json!(0), &json!(2), &json!(1)), "{told}");

    let picture = below_tests("pictures/rocket.png");
    let search = |more: &[&str]| {
        let all = ["search", &out, "--image", &picture, "--model", &model, "--device", "cpu", "--json"];
        ocelli(&[&all[..], more].concat())
    };
    let found = search(&["--top-k", "1"]).good();
    assert_eq!(found["results"][0]["source"], "below/rocket.png", "{found}");
    assert!(found["results"][0]["score"].as_f64() > Some(0.999), "{found}");
    assert_eq!(search(&["--least", "1.1"]).good()["results"], json!([]));
    search(&["--dtype", "f32"]).failed(2, "OCELLI_BAD_ARGUMENT", "another model");

    let bytes = fs::read(&out).expect("it is there");
    fs::write(&out, &bytes[..bytes.len() - 9]).expect("it is cut off");
    search(&[]).failed(1, "OCELLI_BAD_MODEL_FILE", "cut off");
    index(&[]).failed(1, "OCELLI_BAD_MODEL_FILE", "cut off");
}

#[test]
fn vectors_have_length_one_and_files_their_own() {
    let (model, picture) = (below_tests(MODEL), below_tests("pictures/cat.png"));
    let out = scratch("vectors.npy").display().to_string();
    let told =
        ocelli(&["embed", &picture, &picture, "--model", &model, "--device", "cpu", "--out", &out, "--json"]).good();
    let rows = told["embeddings"].as_array().expect("embeddings");
    assert_eq!(rows.len(), 2, "{told}");
    let values: Vec<f64> = rows[0]["values"].as_array().expect("values").iter().filter_map(|v| v.as_f64()).collect();
    assert!((values.iter().map(|v| v * v).sum::<f64>() - 1.0).abs() < 1e-5, "{values:?}");
    let file = fs::read(&out).expect("it is written");
    assert!(String::from_utf8_lossy(&file[..96]).contains("'shape': (2,48,)"));
    let features = ocelli(&["features", &picture, "--model", &model, "--device", "cpu", "--json"]).good();
    assert_eq!(features["shape"], json!([9, 48]), "{features}");
}
