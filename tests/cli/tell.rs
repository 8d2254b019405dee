//! `ocelli inspect`, `ocelli devices`, `ocelli bench`: what there is.

use super::program::{below_tests, ocelli, scratch};

#[test]
fn inspect_tells_a_model_in_numbers() {
    let said = ocelli(&["inspect", &below_tests("goldens/pg2-gqa"), "--json"]).good();
    assert_eq!(said["architecture"], "paligemma");
    assert_eq!(said["vision"]["layers"], 2);
    assert_eq!((&said["decoder"]["kv_heads"], &said["decoder"]["vocabulary"]), (&2.into(), &1856.into()));
    let tensors = said["tensors"].as_array().expect("tensors are a list");
    assert!(
        tensors.iter().any(|t| t["name"].as_str().is_some_and(|n| n.contains("embed_tokens")) && t["dtype"] == "bf16")
    );
    let bytes: u64 = tensors.iter().map(|t| t["bytes"].as_u64().expect("bytes are a number")).sum();
    assert_eq!(said["bytes"], bytes);
    // What a dtype saves, and that f32 needs no less than twice what bf16 takes on disk.
    let needed = |dtype: &str| said["memory"][dtype]["weights_bytes"].as_u64().expect("memory is a number");
    assert!(needed("q4") < needed("q8") && needed("q8") < needed("f16") && needed("f16") < needed("f32"));
    assert!(needed("f32") >= 2 * bytes);
}

#[test]
fn inspect_is_readable_without_json() {
    let said = ocelli(&["inspect", &below_tests("goldens/pg1-hd16")]);
    assert_eq!(said.status, Some(0), "{}", said.err);
    for part in ["paligemma", "embed_tokens.weight", "q8"] {
        assert!(said.out.contains(part), "{part} was expected in {}", said.out);
    }
}

#[test]
fn inspect_of_nothing_is_an_error() {
    ocelli(&["inspect", "/nowhere/at-all", "--json"]).failed(1, "OCELLI_NOT_FOUND", "/nowhere/at-all");
}

#[test]
fn devices_lists_adapters_and_the_automatic_choice() {
    let said = ocelli(&["devices", "--json"]).good();
    let adapters = said["adapters"].as_array().expect("adapters are a list");
    let lavapipe = adapters.iter().find(|a| a["name"].as_str().is_some_and(|name| name.contains("llvmpipe")));
    let lavapipe = lavapipe.expect("lavapipe is listed");
    assert_eq!(lavapipe["class"], "software");
    assert!(lavapipe["max_binding_bytes"].as_u64().is_some_and(|bytes| bytes >= 128 << 20));
    assert_eq!(said["automatic"], "cpu");
    let text = ocelli(&["devices"]).out;
    assert!(text.contains("llvmpipe") && text.contains("auto takes: cpu"), "{text}");
}

#[test]
fn bench_names_the_players_there_are() {
    ocelli(&["bench", "--players", "abacus", "--json"]).failed(2, "OCELLI_BAD_ARGUMENT", "llvmpipe");
    // One card may be there by several drivers: each has its own name.
    ocelli(&["bench", "--players", "abacus", "--json"]).failed(2, "OCELLI_BAD_ARGUMENT", "(vulkan)");
}

#[test]
fn bench_measures_a_player_on_a_model_that_it_makes() {
    let directory = scratch("bench-model");
    let model = directory.to_string_lossy();
    let measured = ["--players", "cpu", "--dtypes", "q8", "--repeat", "1", "--model", &model, "--json"];
    let said = ocelli(&[&["bench"], &measured[..]].concat()).good();
    std::fs::remove_dir_all(&directory).expect("the model lies where it was asked for");
    assert_eq!(said["model"], serde_json::json!({ "image_tokens": 256, "prompt_tokens": 16, "decode_steps": 32 }));
    assert_eq!(said["repeat"], 1);
    let rows = said["rows"].as_array().expect("rows are a list");
    assert_eq!((rows.len(), &rows[0]["player"], &rows[0]["dtype"]), (1, &"cpu".into(), &"q8".into()));
    for measure in ["load_ms", "encode_ms", "prefill_ms", "decode_ms_per_token", "weights_bytes"] {
        assert!(rows[0][measure].as_f64().is_some_and(|value| value > 0.0), "{measure} in {}", rows[0]);
    }
}

#[test]
fn help_and_version_go_to_standard_output() {
    let help = ocelli(&["--help"]);
    assert_eq!(help.status, Some(0));
    assert!(help.out.contains("run") && help.out.contains("inspect") && !help.out.contains("make-bench-model"));
    assert!(ocelli(&["--version"]).out.contains(env!("CARGO_PKG_VERSION")));
}
