//! `ocelli convert`, `ocelli verify` and what takes a pack.

use std::fs;

use sha2::{Digest, Sha256};

use super::program::{below_tests, ocelli, scratch};

#[test]
fn a_pack_is_made_checked_and_asked() {
    let (folder, picture) = (scratch("cli-pack"), below_tests("pictures/cat.png"));
    let _ = fs::remove_dir_all(&folder);
    let (source, pack) = (below_tests("goldens/pg1-hd16"), folder.display().to_string());
    let made = ocelli(&["convert", &source, &pack, "--dtype", "q4", "--keep-f16", "projector", "--json"]).good();
    let checked = ocelli(&["verify", &pack, "--json"]).good();
    assert_eq!(checked["files"].as_u64().map(|n| n + 1), made["files"].as_u64());
    let looked = ocelli(&["inspect", &pack, "--json"]).good();
    let groups = looked["groups"].as_array().expect("a list");
    assert_eq!(groups.iter().map(|group| &group["parts"][0]).collect::<Vec<_>>(), ["vision", "decoder"]);
    assert!(groups.iter().all(|group| group["shards"] == 1 && group["bytes"].as_u64() > Some(1000)), "{groups:?}");
    let said = ocelli(&["inspect", &pack]).out;
    assert!(said.contains("shards of vision: 1, "), "{said}");
    assert!(looked["memory"]["q4"].is_object() && looked["memory"]["q8"].is_null(), "{looked}");

    let ask = |model: &str, more: &[&str]| {
        let mut arguments =
            vec!["run", model, "--image", &picture, "--prompt", "caption en", "--device", "cpu", "--json"];
        arguments.extend(["--max-new-tokens", "6"]);
        arguments.extend(more);
        ocelli(&arguments)
    };
    assert_eq!(ask(&pack, &[]).good()["tokens"], ask(&pack, &["--dtype", "q4"]).good()["tokens"]);
    ask(&pack, &["--dtype", "q8"]).failed(2, "OCELLI_BAD_ARGUMENT", "q4");
    ocelli(&["convert", &pack, &pack, "--json"]).failed(2, "OCELLI_BAD_ARGUMENT", "is a pack already");

    let shard = folder.join("weights-00001.safetensors");
    let mut bytes = fs::read(&shard).expect("the shard can be read");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&shard, &bytes).expect("the shard can be written");
    ocelli(&["verify", &pack, "--json"]).failed(1, "OCELLI_BAD_MODEL_FILE", "weights-00001.safetensors");
    let said = ocelli(&["verify", &pack]);
    assert!(said.status == Some(1) && said.err.contains("sha-256"), "{}", said.err);
}

#[test]
fn a_source_that_is_none_leaves_no_pack_behind() {
    let folder = scratch("cli-no-pack");
    let _ = fs::remove_dir_all(&folder);
    let pack = folder.display().to_string();
    ocelli(&["convert", "/nowhere/at-all", &pack, "--json"]).failed(1, "OCELLI_NOT_FOUND", "/nowhere/at-all");
    assert!(!folder.exists());
    ocelli(&["convert", &below_tests("goldens/pg1-hd16"), &pack, "--shard-mib", "no"]).err.contains("MiB");
    assert!(!folder.exists());
}

#[test]
fn a_tokenizer_from_elsewhere_and_a_preset_where_none_is_needed() {
    let folder = scratch("cli-elsewhere");
    let _ = fs::remove_dir_all(&folder);
    let (source, pack) = (below_tests("goldens/pg1-hd16"), folder.display().to_string());
    let convert = |more: &[&str]| ocelli(&[&["convert", &source, &pack, "--json"], more].concat());
    convert(&["--tokenizer", "/nowhere/at-all"]).failed(1, "OCELLI_NOT_FOUND", "/nowhere/at-all");
    convert(&["--preset", "paligemma"]).failed(2, "OCELLI_BAD_ARGUMENT", "config.json");
    let tokenizer = folder.with_extension("tokenizer.json");
    let text = fs::read_to_string(below_tests("goldens/pg1-hd16/tokenizer.json")).expect("it can be read");
    fs::write(&tokenizer, format!("{text}\n")).expect("it can be written");
    convert(&["--tokenizer", &tokenizer.display().to_string()]).good();
    let looked = ocelli(&["inspect", &pack, "--json"]).good();
    assert_eq!(looked["tokenizer"]["source_sha256"], format!("{:x}", Sha256::digest(format!("{text}\n"))));
}
