//! big_vision's archives give the packs and the answers of the same weights from Hugging Face.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ocelli::base::{Error, ErrorKind};
use ocelli::format::{Directory, MemoryFiles};
use ocelli::tasks::{ConvertOptions, Dtype, Preset, convert, inspect};

use super::npz::{Array, Arrays, archive, arrays, deflated};
use super::{answer, below_tests, contents, load, make, options, scratch};

/// A folder with an archive and those of the golden's other files that are named.
fn folder(name: &str, checkpoint: &str, arrays: &Arrays, beside: &[&str]) -> PathBuf {
    let folder = scratch(name);
    fs::create_dir_all(&folder).expect("it is made");
    fs::write(folder.join("weights.npz"), archive(arrays)).expect("it is written");
    for file in beside {
        let from = below_tests("goldens").join(checkpoint).join(file);
        fs::copy(from, folder.join(file)).expect("it is copied");
    }
    folder
}

fn shards(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = contents(folder);
    files.retain(|name, _| name.ends_with(".safetensors"));
    files
}

#[test]
fn the_shards_are_those_of_the_same_weights_from_hugging_face() {
    for (checkpoint, preset) in
        [("pg1-hd16", None), ("pg1-hd72", Some(Preset::PaliGemma)), ("pg2-gqa", Some(Preset::PaliGemma2))]
    {
        let source = folder(&format!("bv-{checkpoint}"), checkpoint, &arrays(checkpoint), &["tokenizer.json"]);
        for (dtype, shard_bytes) in
            [(Dtype::F32, 16 << 20), (Dtype::F16, 10_000), (Dtype::Q8, 10_000), (Dtype::Q4, 30_000)]
        {
            let options = ConvertOptions { shard_bytes, ..options(dtype) };
            let (published, own) = (scratch("bv-published"), scratch("bv-own"));
            make(checkpoint, &published, &options).expect("it converts");
            let options = ConvertOptions { preset, ..options };
            let done = convert(&Directory::open(&source).expect("it opens"), &own, &options, &mut |_| Ok(()));
            let expected = preset.unwrap_or(Preset::PaliGemma).name();
            assert_eq!(done.expect("it converts").preset, Some(expected), "{checkpoint}");
            let (published, own) = (shards(&published), shards(&own));
            assert!(published.keys().eq(own.keys()), "{checkpoint} {dtype}");
            for (name, bytes) in &published {
                assert!(own[name] == *bytes, "{checkpoint} {dtype}: {name} differs");
            }
        }
    }
}

#[test]
fn an_archive_answers_as_the_same_weights_from_hugging_face() {
    let beside = ["tokenizer.json", "preprocessor_config.json", "generation_config.json"];
    // The numbers of Gemma 1 are known; those of a Gemma 2 of no published size come from its config.json.
    for (checkpoint, config) in [("pg1-hd16", &[][..]), ("pg2-gqa", &["config.json"][..])] {
        let source =
            folder(&format!("bv-run-{checkpoint}"), checkpoint, &arrays(checkpoint), &[&beside[..], config].concat());
        let published = Directory::open(below_tests("goldens").join(checkpoint)).expect("it opens");
        let expected = answer(&mut load(&published, Dtype::Q8).expect("it loads"));
        for path in [source.clone(), source.join("weights.npz")] {
            let own = Directory::open(&path).expect("it opens");
            assert_eq!(answer(&mut load(&own, Dtype::Q8).expect("it loads")), expected, "{}", path.display());
            let (own, published) = (inspect(&own).expect("a report"), inspect(&published).expect("a report"));
            assert_eq!((own.parameters, own.bytes), (published.parameters, published.bytes));
            assert_eq!(own.sections, published.sections);
            let name = "params/llm/layers/attn/kv_einsum/w[1][0]";
            assert!(own.tensors.iter().any(|tensor| tensor.name == name), "{name}");
        }
    }
}

const LINEAR: &str = "params/llm/layers/mlp/linear";

/// Why a conversion of these files, with a tokenizer, fails.
fn refusal(archive: Vec<u8>, preset: Option<Preset>, more: &[(&str, Vec<u8>)]) -> Error {
    let mut files = MemoryFiles::new();
    files.insert("weights.npz", archive);
    let tokenizer = below_tests("goldens/pg1-hd16/tokenizer.json");
    files.insert("tokenizer.json", fs::read(tokenizer).expect("it is there"));
    more.iter().for_each(|(name, bytes)| files.insert(*name, bytes.clone()));
    let to = scratch("bv-refused");
    let error = convert(&files, &to, &ConvertOptions { preset, ..options(Dtype::Q8) }, &mut |_| Ok(()));
    assert!(!to.join("ocelli.json").exists());
    error.expect_err("it is refused")
}

#[test]
fn what_shapes_do_not_tell_is_asked_for() {
    let stored = |checkpoint| archive(&arrays(checkpoint));
    let error = refusal(stored("pg2-gqa"), None, &[]);
    assert!(error.kind() == ErrorKind::BadArgument && error.remedy().to_string().contains("with preset"), "{error}");
    for (checkpoint, preset) in [("pg2-gqa", Preset::PaliGemma), ("pg1-hd16", Preset::PaliGemma2Of28B)] {
        let error = refusal(stored(checkpoint), Some(preset), &[]);
        assert!(error.kind() == ErrorKind::BadArgument && error.to_string().contains(preset.name()), "{error}");
    }
    let config = fs::read(below_tests("goldens/pg1-hd16/config.json")).expect("it is there");
    let error = refusal(stored("pg1-hd16"), Some(Preset::PaliGemma), &[("config.json", config)]);
    assert!(error.kind() == ErrorKind::BadArgument && error.to_string().contains("config.json"), "{error}");
    let bare = br#"{"added_tokens":[{"id":1,"content":"<eos>"},{"id":2,"content":"<bos>"}]}"#;
    let error = refusal(stored("pg1-hd16"), None, &[("tokenizer.json", bare.to_vec())]);
    assert!(error.kind() == ErrorKind::BadTokenizer && error.to_string().contains("<image>"), "{error}");
    let error = refusal(stored("pg1-hd16"), None, &[("other.npz", stored("pg1-hd16"))]);
    assert!(error.kind() == ErrorKind::BadArgument && error.to_string().contains("other.npz"), "{error}");
}

#[test]
fn a_value_that_cannot_be_stored_is_named_with_its_byte() {
    let mut arrays = arrays("pg1-hd16");
    let linear = arrays.get_mut(LINEAR).expect("it is there");
    let [_, rows, width] = linear.shape[..] else { panic!("{:?}", linear.shape) };
    let size = linear.data.len() / linear.shape.iter().product::<usize>();
    // In every format all ones are no number. The matrix lies the other way round in the archive.
    linear.data[((rows + 70) * width + 3) * size..][..size].fill(0xff);
    let stored = archive(&arrays);
    let error = refusal(stored.clone(), None, &[]).to_string();
    let byte = error.split("byte ").nth(1).and_then(|rest| rest.split(',').next()).and_then(|byte| byte.parse().ok());
    let byte: usize = byte.unwrap_or_else(|| panic!("no byte in {error}"));
    assert_eq!(stored[byte..][..size], [0xff; 4][..size], "{error}");
    assert!(error.contains(&format!("{LINEAR}[1]: ")) && error.contains("row 3, column 70 is NaN"), "{error}");
}

#[test]
fn archives_that_lie_are_refused() {
    let good = arrays("pg1-hd16");
    let zeros = |shape: &[usize]| {
        let data = vec![0; shape.iter().product::<usize>() * 4];
        Array { descr: "<f4", shape: shape.into(), data }
    };
    let with = |name: &str, array: Option<Array>| {
        let mut arrays = good.clone();
        match array {
            Some(array) => arrays.insert(name.into(), array),
            None => arrays.remove(name),
        };
        archive(&arrays)
    };
    let cases: &[(Vec<u8>, &[&str])] = &[
        (with(LINEAR, None), &[LINEAR, "missing"]),
        (with("params/llm/layers/pre_ffw_norm/scale", None), &["pre_ffw_norm", "missing"]),
        (with(LINEAR, Some(zeros(&[2, 128 * 64]))), &[LINEAR, "3 axes"]),
        (with(LINEAR, Some(zeros(&[2, 127, 64]))), &["axis 1", LINEAR, "127", "128", "gating_einsum"]),
        (with(LINEAR, Some(zeros(&[2, 64, 128]))), &["axis 1", LINEAR]),
        (with(LINEAR, Some(zeros(&[3, 128, 64]))), &["axis 0", LINEAR, "3"]),
        (with(LINEAR, Some(zeros(&[usize::MAX, 0, 64]))), &["weights.npz"]),
        (with("params/llm/layers/attn/kv_einsum/w", Some(zeros(&[2, 3, 1, 64, 32]))), &["axis 1", "kv_einsum", "3"]),
        (
            with("params/img/Transformer/encoderblock/LayerNorm_0/scale", Some(zeros(&[5000, 64]))),
            &["5000", "at most 1024 layers"],
        ),
        (with("params/img/pos_embedding", Some(zeros(&[1, 15, 64]))), &["15", "square"]),
        (with("params/img/embedding/kernel", Some(zeros(&[14, 13, 3, 64]))), &["14", "13"]),
        (with("params/img/head/bias", Some(Array { descr: "<i4", ..zeros(&[64]) })), &["dtype", "<i4"]),
        (with("params/img/head/bias", Some(Array { shape: vec![65], ..zeros(&[64]) })), &["size", "img/head/bias"]),
        (deflated(archive(&good)), &["compression", "savez"]),
        (b"PK\x03\x04 and nothing".to_vec(), &["weights.npz"]),
    ];
    for (bytes, words) in cases {
        let error = refusal(bytes.clone(), None, &[]);
        assert!(matches!(error.kind(), ErrorKind::BadModelFile | ErrorKind::Unsupported), "{words:?}: {error}");
        for word in *words {
            assert!(error.to_string().contains(word), "{word:?} was expected in {error}");
        }
    }
    let whole = archive(&good);
    for part in 0..50 {
        let error = refusal(whole[..whole.len() * part / 50].to_vec(), None, &[]);
        assert_eq!(error.kind(), ErrorKind::BadModelFile, "{part}: {error}");
    }
}
