//! Packs: the same weights as the checkpoint they were made of, whatever the shards; every damage is found.

#[path = "pack/again.rs"]
mod again;
#[path = "pack/big_vision.rs"]
mod big_vision;
#[path = "pack/format.rs"]
mod format;
#[path = "pack/look.rs"]
mod look;
#[path = "pack/npz.rs"]
mod npz;
#[path = "pack/parts.rs"]
mod parts;
#[path = "common/root.rs"]
mod root;
#[path = "common/scratch.rs"]
mod scratch;
#[path = "pack/siglip_archives.rs"]
mod siglip_archives;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ocelli::base::{Error, ErrorKind, Result};
use ocelli::format::{Directory, MemoryFiles, ModelFiles};
use ocelli::session::{CancelToken, CpuPlayer, Player};
use ocelli::tasks::{
    Call, ConvertOptions, Converted, Dtype, GenerateOptions, Model, ModelOptions, Request, convert, decode_picture,
    inspect, verify,
};
use pollster::block_on;
use root::root;

fn below_tests(name: &str) -> PathBuf {
    root().join("tests").join(name)
}

/// A new folder of that name, empty.
fn scratch(name: &str) -> PathBuf {
    let folder = scratch::scratch("packs").join(name);
    let _ = fs::remove_dir_all(&folder);
    folder
}

fn options(dtype: Dtype) -> ConvertOptions {
    ConvertOptions { dtype, shard_bytes: 16 << 20, keep_f16: Vec::new(), preset: None }
}

fn make(checkpoint: &str, folder: &Path, options: &ConvertOptions) -> Result<Converted> {
    let source = Directory::open(below_tests("goldens").join(checkpoint))?;
    convert(&source, folder, options, &mut |_| Ok(()))
}

fn load(files: &dyn ModelFiles, dtype: Dtype) -> Result<Model> {
    let options = ModelOptions { dtype, ..ModelOptions::default() };
    block_on(Model::load(files, Player::Cpu(Box::new(CpuPlayer::new())), options, || 0.0, &mut |_| Ok(())))
}

/// Tokens and the first logits of an answer.
fn answer(model: &mut Model) -> (Vec<u32>, Vec<u32>) {
    let bytes = fs::read(below_tests("pictures/cat.png")).expect("the picture is there");
    let pictures = [decode_picture(&bytes, "cat.png").expect("a picture")];
    let ask = |model: &mut Model, max_new_tokens| {
        let options = GenerateOptions { max_new_tokens: Some(max_new_tokens), ..GenerateOptions::default() };
        let request = Request { pictures: &pictures, prompt: "caption en", options: &options };
        block_on(model.generate(request, &Call::default(), &mut |_| ())).expect("an answer").generation.tokens
    };
    ask(model, 1);
    let logits = block_on(model.logits()).expect("logits");
    (ask(model, 8), logits.into_iter().map(f32::to_bits).collect())
}

/// Files of a folder with their contents.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path());
    entries
        .map(|path| {
            (path.file_name().expect("a name").to_string_lossy().into_owned(), fs::read(&path).expect("a file"))
        })
        .collect()
}

fn in_memory(files: &BTreeMap<String, Vec<u8>>) -> MemoryFiles {
    let mut memory = MemoryFiles::new();
    files.iter().for_each(|(name, bytes)| memory.insert(name.clone(), bytes.clone()));
    memory
}

#[test]
fn a_pack_answers_bit_for_bit_as_its_checkpoint() {
    for checkpoint in ["pg1-hd16", "pg1-hd72", "pg2-gqa"] {
        let source = Directory::open(below_tests("goldens").join(checkpoint)).expect("it opens");
        for dtype in [Dtype::F32, Dtype::F16, Dtype::Q8, Dtype::Q4] {
            let expected = answer(&mut load(&source, dtype).expect("the checkpoint loads"));
            // A shard for everything, and shards that cut the table in many places.
            for shard_bytes in [16 << 20, 10_000] {
                let folder = scratch(&format!("{checkpoint}-{dtype}-{shard_bytes}"));
                let made =
                    make(checkpoint, &folder, &ConvertOptions { shard_bytes, ..options(dtype) }).expect("converts");
                assert_eq!(made.files > 10, shard_bytes == 10_000, "{made:?}");
                let pack = Directory::open(&folder).expect("it opens");
                verify(&pack, &mut |_| Ok(())).expect("it is whole");
                // The dtype asked for is for checkpoints.
                let mut model = load(&pack, Dtype::F32).expect("the pack loads");
                assert_eq!(model.dtype(), dtype);
                assert_eq!(answer(&mut model), expected, "{checkpoint} {dtype} {shard_bytes}");
                fs::remove_dir_all(&folder).expect("it goes");
            }
        }
    }
}

#[test]
fn files_are_measured_before_memory_is_taken_for_them() {
    let folder = scratch("measured");
    make("pg1-hd16", &folder, &ConvertOptions { shard_bytes: 30_000, ..options(Dtype::Q8) }).expect("converts");
    let mut files = contents(&folder);
    // No memory at all: whatever is taken first fails as such.
    let fault = |files: &BTreeMap<String, Vec<u8>>| {
        let player = Player::Cpu(Box::new(CpuPlayer::new().with_memory(1)));
        let loaded = block_on(Model::load(&in_memory(files), player, ModelOptions::default(), || 0.0, &mut |_| Ok(())));
        loaded.err().expect("it is refused")
    };
    assert_eq!(fault(&files).kind(), ErrorKind::OutOfMemory);
    let last = files.keys().rfind(|name| name.starts_with("weights-")).expect("a shard").clone();
    files.get_mut(&last).expect("it is there").pop();
    let short = fault(&files);
    assert!(short.kind() == ErrorKind::BadModelFile && short.to_string().contains(&last), "{short}");
    files.remove(&last);
    assert!(fault(&files).to_string().contains(&last), "{}", fault(&files));
}

#[test]
fn shards_are_plain_safetensors_of_their_size_and_aligned() {
    let folder = scratch("plain");
    make("pg1-hd72", &folder, &ConvertOptions { shard_bytes: 40_000, ..options(Dtype::Q8) }).expect("converts");
    let mut names = Vec::new();
    for (file, bytes) in contents(&folder).into_iter().filter(|(file, _)| file.ends_with(".safetensors")) {
        assert!(bytes.len() < 44_000, "{file} has {} bytes", bytes.len());
        let (length, _) = safetensors::SafeTensors::read_metadata(&bytes).expect("a header");
        assert!((8 + length).is_multiple_of(64));
        let tensors = safetensors::SafeTensors::deserialize(&bytes).expect("the library reads it");
        let mut odd = false;
        let mut sorted: Vec<_> =
            tensors.iter().map(|(name, view)| (view.data().as_ptr() as usize, name, view)).collect();
        sorted.sort_by_key(|(place, ..)| *place);
        for (place, name, view) in sorted {
            assert!(odd || (place - bytes.as_ptr() as usize).is_multiple_of(4), "{file}: {name}");
            odd |= !view.data().len().is_multiple_of(4);
            names.push(name.to_owned());
        }
    }
    for name in [
        "vision.0.out.data",
        "vision.0.out.scales",
        "vision.patch.bias",
        "vision.patch@60.data",
        "decoder.embed@0.data",
        "decoder.norm",
    ] {
        assert!(names.iter().any(|found| found == name), "{name} is not among {names:?}");
    }
    let report = inspect(&Directory::open(&folder).expect("it opens")).expect("it can be looked at");
    assert_eq!(report.tensors.len(), names.len());
    assert_eq!(report.memory.keys().copied().collect::<Vec<_>>(), ["q8"]);
}

#[test]
fn kept_matrices_stay_f16() {
    let folder = scratch("kept");
    let keep_f16 = vec!["projector".to_owned(), "vision.*".to_owned()];
    make("pg1-hd16", &folder, &ConvertOptions { keep_f16, ..options(Dtype::Q4) }).expect("converts");
    let pack = Directory::open(&folder).expect("it opens");
    let report = inspect(&pack).expect("it can be looked at");
    let dtype =
        |name: &str| report.tensors.iter().find(|tensor| tensor.name == name).map(|tensor| tensor.dtype.clone());
    assert_eq!(dtype("projector").as_deref(), Some("f16"));
    assert_eq!(dtype("vision.0.qkv").as_deref(), Some("f16"));
    assert_eq!(dtype("decoder.0.qkv.data").as_deref(), Some("u8"));
    answer(&mut load(&pack, Dtype::Q8).expect("it loads"));
    let nothing = ConvertOptions { keep_f16: vec!["tower.*".into()], ..options(Dtype::Q4) };
    let error = make("pg1-hd16", &scratch("kept-nothing"), &nothing).expect_err("names nothing");
    assert_eq!(error.kind(), ErrorKind::BadArgument);
}

#[test]
fn a_conversion_goes_on_where_it_was_and_gives_the_same_bytes() {
    let options = ConvertOptions { shard_bytes: 30_000, ..options(Dtype::Q8) };
    let (whole, broken) = (scratch("whole"), scratch("broken"));
    make("pg1-hd16", &whole, &options).expect("converts");
    let source = Directory::open(below_tests("goldens/pg1-hd16")).expect("it opens");
    let mut interrupted = convert(&source, &broken, &options, &mut |progress| {
        if progress.done * 2 > progress.total { Err(stop()) } else { Ok(()) }
    });
    assert_eq!(interrupted.as_ref().expect_err("it was stopped").kind(), ErrorKind::Cancelled);
    assert!(!broken.join("ocelli.json").exists(), "a folder without a manifest is not complete");
    interrupted = convert(&source, &broken, &options, &mut |_| Ok(()));
    assert!(interrupted.expect("goes on").kept > 0);
    assert_eq!(contents(&whole), contents(&broken));
    // Of another kind, nothing is kept.
    let other = ConvertOptions { shard_bytes: 30_000, ..self::options(Dtype::Q4) };
    assert_eq!(make("pg1-hd16", &broken, &other).expect("converts").kept, 0);
}

/// The error of cancelled work.
fn stop() -> Error {
    let token = CancelToken::default();
    token.cancel();
    token.check().expect_err("it is cancelled").into()
}

#[test]
fn every_damage_is_found() {
    let folder = scratch("damage");
    make("pg1-hd16", &folder, &ConvertOptions { shard_bytes: 100_000, ..options(Dtype::Q8) }).expect("converts");
    let files = contents(&folder);
    let shard = "weights-00002.safetensors";
    let check = |files: &BTreeMap<String, Vec<u8>>| verify(&in_memory(files), &mut |_| Ok(())).map_err(|e| e.kind());
    assert!(check(&files).is_ok());
    for file in [shard, "tokenizer.bin"] {
        for damage in [|b: &mut Vec<u8>| b[1000] ^= 1, |b: &mut Vec<u8>| b.truncate(999), |b: &mut Vec<u8>| b.push(0)] {
            let mut files = files.clone();
            damage(files.get_mut(file).expect("it is there"));
            assert_eq!(check(&files).expect_err("damaged"), ErrorKind::BadModelFile, "{file}");
        }
    }
    let mut without = files.clone();
    without.remove(shard);
    assert_eq!(check(&without).expect_err("missing"), ErrorKind::NotFound);
    assert_eq!(load(&in_memory(&without), Dtype::Q8).err().map(|e| e.kind()), Some(ErrorKind::NotFound));

    // A manifest that lies is found without any sum, when the weights are loaded.
    let text = String::from_utf8(files["ocelli.json"].clone()).expect("text");
    for (from, to, kind) in [
        ("\"format\": 2", "\"format\": 3", ErrorKind::Unsupported),
        ("\"format\": 2", "\"format\": \"x\"", ErrorKind::BadModelFile),
        ("\"dtype\": \"q8\"", "\"dtype\": \"q4\"", ErrorKind::BadModelFile),
        ("\"dtype\": \"q8\"", "\"dtype\": \"int3\"", ErrorKind::BadModelFile),
        ("weights-00002", "../weights-00002", ErrorKind::BadModelFile),
        ("weights-00002", "weights-00003", ErrorKind::BadModelFile),
        ("\"parts\": [", "\"parts\": [{\"name\": \"ears\", \"shards\": []},", ErrorKind::BadModelFile),
        ("{", "[", ErrorKind::BadModelFile),
    ] {
        let mut files = files.clone();
        let lie = text.replacen(from, to, 1);
        assert_ne!(lie, text, "{from}");
        files.insert("ocelli.json".into(), lie.into_bytes());
        let error = load(&in_memory(&files), Dtype::Q8).err().unwrap_or_else(|| panic!("{to} was believed"));
        assert_eq!(error.kind(), kind, "{to}: {error}");
    }
}

#[test]
fn the_tokenizer_is_compact_and_packs_with_the_json_still_load() {
    let folder = scratch("tokenizer");
    make("pg1-hd16", &folder, &options(Dtype::Q8)).expect("converts");
    let mut files = contents(&folder);
    assert!(!files.contains_key("tokenizer.json"));
    let report = |files: &BTreeMap<String, Vec<u8>>| {
        inspect(&in_memory(files)).expect("it can be looked at").tokenizer.expect("a pack has one")
    };
    let compact = report(&files);
    assert_eq!(
        (compact.file.as_str(), compact.pieces, compact.merges, compact.added),
        ("tokenizer.bin", 640, 312, 1157)
    );
    assert_eq!(compact.source_sha256.map(|sum| sum.len()), Some(64));
    let expected = answer(&mut load(&in_memory(&files), Dtype::Q8).expect("it loads"));

    // As earlier versions wrote it.
    files.remove("tokenizer.bin");
    let json = fs::read(below_tests("goldens/pg1-hd16/tokenizer.json")).expect("it is there");
    files.insert("tokenizer.json".into(), json);
    let manifest = String::from_utf8(files["ocelli.json"].clone()).expect("text");
    files.insert("ocelli.json".into(), manifest.replacen("tokenizer.bin", "tokenizer.json", 1).into_bytes());
    let json = report(&files);
    assert_eq!((json.file.as_str(), json.pieces, json.merges, json.added), ("tokenizer.json", 640, 312, 1157));
    assert_eq!(json.source_sha256, None);
    assert_eq!(answer(&mut load(&in_memory(&files), Dtype::Q8).expect("it loads")), expected);
}

#[test]
fn a_pack_is_not_converted_again() {
    let folder = scratch("again");
    make("pg1-hd16", &folder, &options(Dtype::Q8)).expect("converts");
    let pack = Directory::open(&folder).expect("it opens");
    let error = convert(&pack, &scratch("again-out"), &options(Dtype::Q4), &mut |_| Ok(())).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::BadArgument);
}
