//! `ocelli plan`: what a model would cost, and the law of shapes.

use std::fs;

use serde_json::{Value, json};

use super::program::{below_tests, ocelli, scratch};

fn plan(arguments: &[&str]) -> Value {
    ocelli(&[&["plan"], arguments, &["--json"]].concat()).good()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("a number was expected: {value}"))
}

#[test]
fn a_shape_is_told_in_numbers() {
    let said = plan(&["so400m@384"]);
    assert!((number(&said["parameters"]) / 1e6 - 428.2).abs() < 0.2, "{said}");
    assert!((number(&said["flop"]["image"]) / 670.3e9 - 1.0).abs() < 0.003, "{said}");
    // What is not known, or has no meaning.
    let none = json!({ "image": null, "prefill": null, "token": null });
    assert_eq!((&said["seconds"]["resident"], &said["seconds"]["streamed"]), (&none, &none));
    let flop = &said["flop"];
    assert_eq!((&flop["prefill"], &flop["token"], &said["devices"]), (&Value::Null, &Value::Null, &Value::Null));
    assert_eq!(said["bytes"]["kv"], Value::Null);
    assert!(number(&said["bytes"]["activations"]) > 1e6, "{said}");
    let keys: Vec<&String> = said.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["bytes", "devices", "flop", "parameters", "seconds"]);

    assert_eq!(plan(&["1152x27x4304/14@384"]), said);
    assert_eq!(plan(&["sovit-1@384"]), said);
    let bare = plan(&["so400m", "--no-pooling", "--dtype", "f16"]);
    assert!((number(&bare["parameters"]) / 1e6 - 412.4).abs() < 0.2, "{bare}");
    assert!((number(&bare["bytes"]["image"]) / (2.0 * number(&bare["parameters"])) - 1.0).abs() < 0.01, "{bare}");
}

#[test]
fn times_and_devices_follow_from_the_machine() {
    let machine = ["b", "--dtype", "f16", "--tflops", "0.001", "--bandwidth-gbs", "100", "--device-mib", "60"];
    let slow = plan(&machine);
    // 35.4 GF at 1 GF a second: computing is what takes the time.
    let image = |said: &Value, how: &str| number(&said["seconds"][how]["image"]);
    assert!((image(&slow, "resident") - number(&slow["flop"]["image"]) / 1e9).abs() < 1e-6, "{slow}");
    assert_eq!(image(&slow, "resident"), image(&slow, "streamed"));
    // 186 MB of layers in portions of 60 MiB less activations.
    assert!((4.0..=5.0).contains(&number(&slow["devices"])), "{slow}");

    let streamed = plan(
        &[&["b", "--dtype", "f16", "--tflops", "1000", "--bandwidth-gbs", "100"], &["--stream-gbs", "2"][..]].concat(),
    );
    let bytes = number(&streamed["bytes"]["image"]);
    assert!((image(&streamed, "resident") / (bytes / 100e9) - 1.0).abs() < 1e-9, "{streamed}");
    assert!((image(&streamed, "streamed") / (bytes / 2e9) - 1.0).abs() < 1e-9, "{streamed}");
    // No layer fits 4 MiB, and nothing is known of how weights would come.
    let small = plan(&["b", "--device-mib", "4", "--tflops", "1"]);
    assert_eq!((&small["devices"], &small["seconds"]["streamed"]["image"]), (&Value::Null, &Value::Null));
    assert!((image(&small, "resident") - number(&small["flop"]["image"]) / 1e12).abs() < 1e-9, "{small}");
}

#[test]
fn a_checkpoint_costs_what_it_takes_when_it_runs() {
    let (model, picture) = (below_tests("goldens/pg1-hd16"), below_tests("pictures/cat.png"));
    let arguments = ["run", &model, "--image", &picture, "--prompt", "caption en", "--device", "cpu", "--dtype", "f32"];
    let ran = ocelli(&[&arguments[..], &["--max-new-tokens", "4", "--json"]].concat()).good();
    // As much room as a run takes for an ordinary question.
    let said = plan(&[&model, "--dtype", "f32", "--prompt-tokens", "144"]);
    let (bytes, memory) = (&said["bytes"], &ran["memory"]);
    let held = number(&bytes["vision"]) + number(&bytes["decoder"]);
    assert_eq!(held, number(&memory["weights_bytes"]), "{said} {ran}");
    assert_eq!(number(&bytes["kv"]), number(&memory["kv_bytes"]), "{said} {ran}");
    // What a run has beside it is what the kernels keep for themselves, as many times as there are cores.
    let short = plan(&[&model, "--dtype", "f32", "--prompt-tokens", "23"]);
    let activations = number(&short["bytes"]["activations"]);
    assert!(activations > 5e4 && activations < number(&memory["activation_bytes"]), "{short} {ran}");
    let looked = ocelli(&["inspect", &model, "--json"]).good();
    assert_eq!(said["parameters"], looked["parameters"]);
    // A longer prompt costs more, a token less than a prompt.
    assert!(number(&said["flop"]["prefill"]) > number(&short["flop"]["prefill"]));
    assert!(number(&short["flop"]["token"]) < number(&short["flop"]["prefill"]));
    assert_eq!(short["flop"]["image"], said["flop"]["image"]);
}

#[test]
fn a_pack_is_told_by_its_parts_as_it_keeps_them() {
    let folder = scratch("plan-pack");
    let _ = fs::remove_dir_all(&folder);
    let (source, pack) = (below_tests("goldens/siglip-vision"), folder.display().to_string());
    ocelli(&["convert", &source, &pack, "--dtype", "q4", "--keep-f16", "image.0.*", "--json"]).good();
    let (said, looked) = (plan(&[&pack]), ocelli(&["inspect", &pack, "--json"]).good());
    assert_eq!(said["bytes"]["image"], looked["memory"]["q4"]["weights_bytes"], "{said}");
    assert!(number(&said["flop"]["image"]) > 0.0 && said["flop"]["prefill"].is_null(), "{said}");
    let other = plan(&[&pack, "--dtype", "f32"]);
    assert_eq!(other["bytes"], plan(&[&source, "--dtype", "f32"])["bytes"]);
    assert!(number(&other["bytes"]["image"]) > number(&said["bytes"]["image"]), "{other} {said}");
    // Both towers, and no decoder.
    let both = plan(&[&below_tests("goldens/siglip-1"), "--dtype", "f32"]);
    assert!(number(&both["bytes"]["image"]) > 0.0 && number(&both["bytes"]["text"]) > 0.0, "{both}");
    assert!(both["bytes"]["kv"].is_null() && both["flop"]["token"].is_null(), "{both}");
}

#[test]
fn plans_are_readable_without_json() {
    let said = ocelli(&["plan", "sovit-0.59", "--tflops", "10", "--bandwidth-gbs", "100", "--device-mib", "64"]);
    assert_eq!(said.status, Some(0), "{}", said.err);
    for part in ["880x18x2288/14@224, 11 heads of 80", "M parameters", "GFLOP", "ms resident", "devices of 64 MiB: "] {
        assert!(said.out.contains(part), "{part} was expected in {}", said.out);
    }
}

/// Points of a known law: alpha 8, a .5, beta 1e-3, b .9, xi .5, c .35, epsilon .05.
fn points() -> String {
    let mut table = String::from("x,t,f\n");
    for i in 0..=12 {
        for t in [1f64, 10.0, 100.0, 1e3, 1e4] {
            let x = 2f64.powf(6.0 + f64::from(i) / 2.0);
            let f = 8.0 * x.powf(-0.5) + (1e-3 * x.powf(0.9) + 0.5) * t.powf(-0.35) + 0.05;
            table += &format!("{x},{t},{f}\n");
        }
    }
    table
}

#[test]
fn a_law_is_fitted_to_points() {
    let file = scratch("points.csv");
    fs::write(&file, points()).expect("the file can be written");
    let file = file.display().to_string();
    let said = plan(&["--fit", &file]);
    assert!((number(&said["s"]) / 0.25 - 1.0).abs() < 0.02, "{said}");
    for (name, expected) in [("a", 0.5), ("b", 0.9), ("c", 0.35)] {
        assert!((number(&said[name]) - expected).abs() < 0.01, "{name}: {said}");
    }
    let optimum = said["optimum"].as_array().expect("a list");
    assert_eq!(optimum.len(), 5);
    for (at, t) in optimum.iter().zip([1f64, 10.0, 100.0, 1e3, 1e4]) {
        let expected = (8.0 * 0.5 * t.powf(0.35) / (1e-3 * 0.9)).powf(1.0 / 1.4);
        assert!((number(&at["x"]) / expected - 1.0).abs() < 0.05 && number(&at["t"]) == t, "{said}");
    }
    let text = ocelli(&["plan", "--fit", &file]).out;
    assert!(text.contains("the best x goes with t^0.25"), "{text}");
}

#[test]
fn what_cannot_be_planned_is_told() {
    let refused = |target: &str, names: &str| {
        let remedy = ocelli(&["plan", target, "--json"]).failed(2, "OCELLI_BAD_ARGUMENT", names);
        assert!(remedy.contains("1152x27x4304/14@384") && remedy.contains("so400m"), "{remedy}");
    };
    refused("nothing-like-it", "\"nothing-like-it\" is no shape");
    refused("1152x0x4304", "the depth is 0");
    refused("99999999999999999999x1x4", "the width");
    refused("1152x27x4304/14@99999", "the number of pixels is 99999");
    ocelli(&["plan", &below_tests("pictures"), "--json"]).failed(1, "OCELLI_NOT_FOUND", "config.json");
    ocelli(&["plan", "--json"]).failed(2, "OCELLI_BAD_ARGUMENT", "SHAPE|DIR");
    ocelli(&["plan", "b", "--tflops", "0", "--json"]).failed(2, "OCELLI_BAD_ARGUMENT", "--tflops");
    let pooling = ["plan", &below_tests("goldens/siglip-1"), "--no-pooling", "--json"];
    ocelli(&pooling).failed(2, "OCELLI_BAD_ARGUMENT", "--no-pooling");
    ocelli(&["plan", "b", "--fit", "points.csv", "--json"]).failed(2, "OCELLI_BAD_ARGUMENT", "--fit");
    let long = ["plan", &below_tests("goldens/pg1-hd16"), "--prompt-tokens", "1000000", "--json"];
    ocelli(&long).failed(2, "OCELLI_BAD_ARGUMENT", "a prompt of 1000000 tokens");
}

#[test]
fn bad_points_are_told_with_file_and_line() {
    let file = scratch("bad-points.csv");
    let told = file.display().to_string();
    for (table, names) in [
        ("x;t;f\n", "line 1"),
        ("x,t,f\n1,2,3\n1,2\n", "line 3 has 2 values"),
        ("x,t,f\n1,2,none\n", "line 2 has \"none\""),
        ("x,t,f\n1,2,3\n2,2,3\n", "2 points, expected at least 8"),
    ] {
        fs::write(&file, table).expect("the file can be written");
        let said = ocelli(&["plan", "--fit", &told, "--json"]);
        said.failed(2, "OCELLI_BAD_ARGUMENT", names);
        said.failed(2, "OCELLI_BAD_ARGUMENT", "bad-points.csv");
    }
    ocelli(&["plan", "--fit", "/nowhere/at-all.csv", "--json"]).failed(1, "OCELLI_NOT_FOUND", "/nowhere/at-all.csv");
}
