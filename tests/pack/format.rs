//! What `ocelli.json` says in format 2, that packs of format 1 still load, and that no contradiction is believed.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use ocelli::base::ErrorKind;
use ocelli::format::Directory;
use ocelli::tasks::{ConvertOptions, Dtype, GroupReport, convert, inspect, verify};
use safetensors::serialize;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};

use super::again::copy;
use super::{answer, contents, in_memory, load, make, options, scratch};

pub type Files = BTreeMap<String, Vec<u8>>;

const MANIFEST: &str = "ocelli.json";

/// The layers of the published mask decoder, as PyTorch has their weights, and the width of their biases.
const MASK_LAYERS: [(&str, &[usize], usize); 12] = [
    ("decoder.0", &[128, 512, 1, 1], 128),
    ("decoder.2.net.0", &[128, 128, 3, 3], 128),
    ("decoder.2.net.2", &[128, 128, 3, 3], 128),
    ("decoder.2.net.4", &[128, 128, 1, 1], 128),
    ("decoder.3.net.0", &[128, 128, 3, 3], 128),
    ("decoder.3.net.2", &[128, 128, 3, 3], 128),
    ("decoder.3.net.4", &[128, 128, 1, 1], 128),
    ("decoder.4", &[128, 128, 4, 4], 128),
    ("decoder.6", &[128, 64, 4, 4], 64),
    ("decoder.8", &[64, 32, 4, 4], 32),
    ("decoder.10", &[32, 16, 4, 4], 16),
    ("decoder.12", &[1, 16, 1, 1], 1),
];

/// A copy of a golden checkpoint with a mask decoder, all zeros.
pub fn with_masks(name: &str) -> PathBuf {
    let folder = copy("pg1-hd16", name);
    let zeros = vec![0u8; 4 * 128 * 128 * 16];
    let mut views = Vec::new();
    let mut add = |name: String, shape: &[usize]| {
        let bytes = &zeros[..4 * shape.iter().product::<usize>()];
        views.push((name, TensorView::new(safetensors::Dtype::F32, shape.into(), bytes).expect("it fits")));
    };
    add("_vq_vae._embedding".into(), &[128, 512]);
    for (layer, shape, width) in MASK_LAYERS {
        add(format!("{layer}.weight"), shape);
        add(format!("{layer}.bias"), &[width]);
    }
    let bytes = serialize(views, None).expect("a file");
    fs::write(folder.join("mask_decoder.safetensors"), bytes).expect("it is written");
    folder
}

/// A pack of [`with_masks`] in many shards.
pub fn pack_with_masks(name: &str) -> Files {
    let source = Directory::open(with_masks(&format!("{name}-source"))).expect("it opens");
    let (folder, options) = (scratch(name), ConvertOptions { shard_bytes: 30_000, ..options(Dtype::Q8) });
    convert(&source, &folder, &options, &mut |_| Ok(())).expect("it converts");
    contents(&folder)
}

pub fn manifest(files: &Files) -> Value {
    serde_json::from_slice(&files[MANIFEST]).expect("JSON")
}

fn with_manifest(files: &Files, manifest: &Value) -> Files {
    let mut files = files.clone();
    files.insert(MANIFEST.into(), manifest.to_string().into_bytes());
    files
}

/// The manifest as earlier versions wrote it.
fn as_format_1(manifest: &Value) -> Value {
    let mut json = manifest.clone();
    let fields = json.as_object_mut().expect("an object");
    fields.remove("architecture");
    let parts = fields.remove("parts").expect("parts");
    let parts = parts.as_array().expect("a list");
    let shards: Vec<&Value> = parts.iter().flat_map(|part| part["shards"].as_array().expect("a list")).collect();
    fields.insert("shards".into(), json!(shards));
    fields.insert("format".into(), 1.into());
    if parts.iter().any(|part| part["name"] == "mask_decoder") {
        fields.insert("mask_decoder".into(), true.into());
    }
    json
}

#[test]
fn a_manifest_names_the_architecture_and_gives_each_part_shards_of_its_own() {
    let files = pack_with_masks("parts-named");
    let told = manifest(&files);
    assert_eq!((&told["format"], &told["architecture"]), (&json!(2), &json!("paligemma")));
    assert!(told.get("mask_decoder").is_none() && told.get("shards").is_none());
    let parts = told["parts"].as_array().expect("a list");
    let names: Vec<&str> = parts.iter().filter_map(|part| part["name"].as_str()).collect();
    assert_eq!(names, ["vision", "decoder", "mask_decoder"]);
    let mut shards = 0;
    for (part, prefixes) in parts.iter().zip([&["vision.", "projector"][..], &["decoder."], &["mask_decoder."]]) {
        for shard in part["shards"].as_array().expect("a list") {
            shards += 1;
            let file = shard["file"].as_str().expect("a name");
            assert_eq!(file, format!("weights-{shards:05}.safetensors"));
            let tensors = safetensors::SafeTensors::deserialize(&files[file]).expect("it is one");
            assert!(!tensors.is_empty(), "{file}");
            for name in tensors.names() {
                assert!(
                    prefixes.iter().any(|prefix| name.starts_with(prefix)),
                    "{name} in a shard of {}",
                    part["name"]
                );
            }
        }
    }
    assert_eq!(shards, files.keys().filter(|file| file.ends_with(".safetensors")).count());
    let folder = scratch("parts-without-masks");
    make("pg1-hd16", &folder, &options(Dtype::Q8)).expect("converts");
    assert_eq!(manifest(&contents(&folder))["parts"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_pack_of_format_1_is_the_same_model() {
    let files = pack_with_masks("format-1");
    let old = with_manifest(&files, &as_format_1(&manifest(&files)));
    let checked = |files: &Files| verify(&in_memory(files), &mut |_| Ok(())).expect("it is whole");
    assert_eq!(checked(&old).files, checked(&files).files);
    let looked = |files: &Files| inspect(&in_memory(files)).expect("it can be looked at");
    let [mut of_old, mut of_new] = [looked(&old), looked(&files)];
    let told = |groups: Vec<GroupReport>| groups.into_iter().map(|group| group.parts).collect::<Vec<_>>();
    assert_eq!(told(std::mem::take(&mut of_old.groups)), [["vision", "decoder", "mask_decoder"]]);
    assert_eq!(told(std::mem::take(&mut of_new.groups)), [["vision"], ["decoder"], ["mask_decoder"]]);
    assert_eq!(of_old, of_new);
    let mut models = [&old, &files].map(|files| load(&in_memory(files), Dtype::Q8).expect("it loads"));
    assert!(models.iter().all(|model| model.decodes_masks()));
    let [of_old, of_new] = [0, 1].map(|n| answer(&mut models[n]));
    assert_eq!(of_old, of_new);
    // A shard may hold weights of several parts there.
    let tiny = Directory::open(super::root().join("web/models/tiny")).expect("it is there");
    verify(&tiny, &mut |_| Ok(())).expect("the embedded model is whole");
}

#[test]
fn what_contradicts_the_architecture_is_refused() {
    let files = pack_with_masks("contradictions");
    let told = manifest(&files);
    let lie = |change: &dyn Fn(&mut Value)| {
        let mut lie = told.clone();
        change(&mut lie);
        assert_ne!(lie, told);
        lie
    };
    let swap = |parts: &mut Value, a: usize, b: usize| parts.as_array_mut().expect("a list").swap(a, b);
    let remove = |parts: &mut Value, n: usize| parts.as_array_mut().expect("a list").remove(n);
    let kind = ErrorKind::BadModelFile;
    for (lie, kind, says) in [
        (lie(&|m| m["architecture"] = "siglip".into()), kind, r#"the architecture is "siglip", expected "paligemma""#),
        (lie(&|m| m["config"]["model_type"] = "siglip".into()), ErrorKind::Unsupported, "siglip"),
        (lie(&|m| drop(m.as_object_mut().and_then(|m| m.remove("architecture")))), kind, "`architecture`"),
        (lie(&|m| m["parts"][1]["name"] = "encoder".into()), kind, "parts is vision, encoder, mask_decoder, expected"),
        (lie(&|m| m["parts"][2]["name"] = "decoder".into()), kind, "parts is vision, decoder, decoder, expected"),
        (lie(&|m| swap(&mut m["parts"], 0, 1)), kind, "in this order"),
        (lie(&|m| drop(remove(&mut m["parts"], 0))), kind, "mask_decoder (which may be left out)"),
        (lie(&|m| m["parts"] = json!([])), kind, "expected vision, decoder"),
        (lie(&|m| m["parts"][0]["shards"] = json!([])), kind, "the length of all shards of vision is 0 bytes"),
        (lie(&|m| m["parts"][0]["shards"][1] = m["parts"][0]["shards"][0].clone()), kind, "listed twice"),
        (lie(&|m| m["parts"][1]["shards"][0] = m["parts"][0]["shards"][0].clone()), kind, "listed twice"),
        (lie(&|m| m["tokenizer"]["file"] = MANIFEST.into()), kind, "ocelli.json is listed twice"),
        (lie(&|m| drop(m.as_object_mut().and_then(|m| m.remove("tokenizer")))), kind, "the tokenizer is missing"),
        (lie(&|m| m["format"] = 3.into()), ErrorKind::Unsupported, "reads 1 and 2"),
        (lie(&|m| m["format"] = "2".into()), kind, r#"its format is "2""#),
        (lie(&|m| m["format"] = 1.into()), kind, "expected a sequence"),
    ] {
        let files = with_manifest(&files, &lie);
        for (who, found) in [
            ("load", load(&in_memory(&files), Dtype::Q8).err()),
            ("verify", verify(&in_memory(&files), &mut |_| Ok(())).err()),
            ("inspect", inspect(&in_memory(&files)).err()),
        ] {
            let error = found.unwrap_or_else(|| panic!("{who} believed that {says}"));
            assert!(error.kind() == kind && error.to_string().contains(says), "{who}: {error}, and not {says}");
        }
    }
}

#[test]
fn a_shard_of_another_part_is_noticed() {
    let files = pack_with_masks("misplaced");
    let mut told = manifest(&files);
    let parts = told["parts"].as_array_mut().expect("a list");
    let moved = parts[1]["shards"].as_array_mut().expect("a list").remove(0);
    // The same shards in the same order, but the first of the decoder is called the tower's.
    parts[0]["shards"].as_array_mut().expect("a list").push(moved.clone());
    parts[1]["shards"].as_array_mut().expect("a list")[0]["bytes"] = (1 << 20).into();
    let files = with_manifest(&files, &told);
    let found = verify(&in_memory(&files), &mut |_| Ok(())).expect_err("it is refused");
    let file = moved["file"].as_str().expect("a name");
    assert_eq!(found.kind(), ErrorKind::BadModelFile);
    let said = found.to_string();
    assert!(said.contains(file) && said.contains("the part that it belongs to"), "{said}");
}
