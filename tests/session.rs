//! The session alone, on ids that the reference gives: no tokenizer, no sampler.

#[path = "common/root.rs"]
mod root;

use std::fs;
use std::path::PathBuf;

use pollster::block_on;
use root::root;
use safetensors::SafeTensors;
use serde_json::Value;

use ocelli::base::ErrorKind;
use ocelli::format::{Checkpoint, Directory, MemoryFiles, ModelFiles, read_json};
use ocelli::image::{Preprocessor, decode};
use ocelli::models::paligemma::{CHECKPOINT, PaliGemmaConfig};
use ocelli::models::{self, Architecture};
use ocelli::session::{
    AutoRegressive, CpuPlayer, LoadProgress, PassOutput, Player, Session, SessionOptions, cache_bytes_per_token,
};
use ocelli::tensor::Dtype;

fn folder(name: &str) -> PathBuf {
    root().join("tests").join(name)
}

fn directory(checkpoint: &str) -> Directory {
    Directory::open(folder("goldens").join(checkpoint)).expect("the checkpoint is there")
}

fn golden(checkpoint: &str) -> Value {
    let path = folder("goldens").join(checkpoint).join("golden.json");
    serde_json::from_str(&fs::read_to_string(path).expect("the golden is there")).expect("it is JSON")
}

fn numbers(value: &Value) -> Vec<u32> {
    value.as_array().expect("a list").iter().map(|id| id.as_u64().expect("an id") as u32).collect()
}

fn architecture(files: &dyn ModelFiles) -> Box<dyn Architecture> {
    models::open(&read_json(files, "config.json").expect("it is there")).expect("it fits")
}

fn open(checkpoint: &str, player: CpuPlayer, dtype: Dtype) -> AutoRegressive {
    let files = directory(checkpoint);
    let tensors = Checkpoint::open(&files, &CHECKPOINT).expect("it opens");
    let options = SessionOptions { dtype, fuse: true };
    let mut last = LoadProgress { done: 0, total: 1 };
    let player = Player::Cpu(Box::new(player));
    let session = block_on(Session::load(player, architecture(&files), &tensors, options, &mut |progress| {
        assert!(progress.done > last.done, "{progress:?}");
        last = progress;
        Ok(())
    }));
    assert_eq!(last.done, last.total);
    AutoRegressive::new(session.expect("it loads")).expect("it writes text")
}

/// The reference's ids for a case; picture slots become rows of the features.
fn prefix(case: &Value, image_token: u32) -> Vec<u32> {
    // The slots come first.
    let slot = |(row, id): (u32, u32)| if id == image_token { row | 1 << 31 } else { id };
    (0..).zip(numbers(&case["input_ids"])).map(slot).collect()
}

fn image_size(model: &AutoRegressive) -> usize {
    model.session().architecture().image().expect("it takes images").size
}

fn image_token(checkpoint: &str) -> u32 {
    let json = read_json(&directory(checkpoint), "config.json").expect("it is there");
    PaliGemmaConfig::from_hf(&json).expect("it fits").image_token
}

fn encode(session: &mut AutoRegressive, case: &Value) {
    let preprocessor = Preprocessor::from_hf(None, image_size(session)).expect("it fits");
    let pictures: Vec<Vec<f32>> = case["pictures"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|name| {
            let name = name.as_str().expect("a name");
            let bytes = fs::read(folder("pictures").join(name)).expect("it is there");
            preprocessor.apply(&decode(&bytes, name).expect("a picture"))
        })
        .collect();
    block_on(session.encode(&pictures.iter().map(Vec::as_slice).collect::<Vec<_>>())).expect("it encodes");
}

/// The first id of a greedy answer.
async fn prefill(session: &mut AutoRegressive, ids: &[u32]) -> u32 {
    let first = session.prefill(ids, &[], PassOutput::Greedy).await.expect("it is submitted");
    first.result().await.expect("it plays").0.id
}

fn greedy(session: &mut AutoRegressive, ids: &[u32], count: usize) -> Vec<u32> {
    block_on(async {
        session.reserve(ids.len() + count, 1).await.expect("there is room");
        let mut found = vec![prefill(session, ids).await];
        for position in ids.len()..ids.len() + count - 1 {
            let next = session.decode(position, PassOutput::Greedy, None).await.expect("it is submitted");
            found.push(next.result().await.expect("it plays").0.id);
        }
        found
    })
}

#[test]
fn greedy_ids_are_the_references() {
    for checkpoint in ["pg1-hd16", "pg1-hd72", "pg2-gqa", "pg2-cap5"] {
        let golden = golden(checkpoint);
        let mut session = open(checkpoint, CpuPlayer::new(), Dtype::F32);
        for case in golden["cases"].as_array().expect("cases") {
            encode(&mut session, case);
            let ids = prefix(case, image_token(checkpoint));
            let expected = numbers(&case["greedy_ids"]);
            assert_eq!(greedy(&mut session, &ids, expected.len()), expected, "{checkpoint} {}", case["name"]);
        }
    }
}

#[test]
fn small_bindings_change_nothing() {
    let golden = golden("pg1-hd16");
    let case = &golden["cases"][0];
    let mut session = open("pg1-hd16", CpuPlayer::new().with_max_binding(64 << 10), Dtype::F32);
    encode(&mut session, case);
    let ids = prefix(case, image_token("pg1-hd16"));
    let expected = numbers(&case["greedy_ids"]);
    assert_eq!(greedy(&mut session, &ids, expected.len()), expected);
}

#[test]
fn forced_tokens_score_as_the_reference_says() {
    let golden = golden("pg2-gqa");
    let forced = &golden["forced"];
    let cases = golden["cases"].as_array().expect("cases");
    let case = cases.iter().find(|case| case["name"] == forced["case"]).expect("the case is there");
    let mut session = open("pg2-gqa", CpuPlayer::new(), Dtype::F32);
    encode(&mut session, case);
    let ids = prefix(case, image_token("pg2-gqa"));
    let found = block_on(session.score(&ids, &numbers(&forced["suffix_ids"]))).expect("it scores");
    let expected: Vec<f64> =
        forced["logprobs"].as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number")).collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert!((f64::from(*found) - expected).abs() < 1e-3, "{found} {expected}");
    }
}

#[test]
fn suffixes_score_side_by_side_as_they_do_alone() {
    for checkpoint in ["pg1-hd72", "pg2-gqa", "pg2-cap5"] {
        let golden = golden(checkpoint);
        let case = &golden["cases"][0];
        let mut session = open(checkpoint, CpuPlayer::new(), Dtype::F32);
        encode(&mut session, case);
        let ids = prefix(case, image_token(checkpoint));
        // More than go together, of unlike lengths.
        let suffixes: Vec<Vec<u32>> =
            (0..11).map(|n| (0..n % 5 + u32::from(n == 3) * 9).map(|t| 3 + 7 * n + 5 * t).collect()).collect();
        let together = block_on(session.score_each(&ids, &suffixes)).expect("they score");
        for (suffix, found) in suffixes.iter().zip(&together) {
            let alone = block_on(session.score(&ids, suffix)).expect("it scores");
            assert_eq!(alone.len(), found.len());
            for (alone, found) in alone.iter().zip(found) {
                assert!((alone - found).abs() < 2e-4, "{checkpoint}: {alone} {found}");
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut session = open("pg1-hd16", CpuPlayer::new(), Dtype::Q8);
    let kind = |error: ocelli::base::Error| error.kind();
    block_on(async {
        session.reserve(32, 1).await.expect("there is room");
        let long = vec![2; 65];
        for ids in [&[][..], &[2, 100_000], &[2, 1 << 31], &long] {
            let refused = session.prefill(ids, &[], PassOutput::Greedy).await.map(|_| ()).map_err(kind);
            assert_eq!(refused, Err(ErrorKind::BadArgument), "{ids:?}");
        }
        let past_the_end = session.decode(64, PassOutput::Greedy, None).await.map(|_| ()).map_err(kind);
        assert_eq!(past_the_end, Err(ErrorKind::BadArgument));
        assert_eq!(session.encode(&[&[0.0; 7]]).await.map_err(kind), Err(ErrorKind::BadArgument));
    });
}

#[test]
fn a_config_of_another_model_is_refused_before_anything_is_allocated() {
    let files = directory("pg1-hd72");
    let tensors = Checkpoint::open(&files, &CHECKPOINT).expect("it opens");
    let other = architecture(&directory("pg1-hd16"));
    let player = Player::Cpu(Box::<CpuPlayer>::default());
    let options = SessionOptions::default();
    let refused = block_on(Session::load(player, other, &tensors, options, &mut |_| panic!("nothing may be loaded")));
    let error = refused.err().expect("it is refused");
    assert_eq!(error.kind(), ErrorKind::BadConfig, "{error}");
}

/// The files of a golden checkpoint with one element of a tensor changed, and the byte where that element begins.
fn damaged(checkpoint: &str, tensor: &str, element: usize, value: f32) -> (MemoryFiles, usize) {
    let files = directory(checkpoint);
    let mut weights = files.get("model.safetensors").expect("it is there").to_vec();
    let (length, header) = SafeTensors::read_metadata(&weights).expect("it has a header");
    let info = header.info(tensor).expect("the tensor is there");
    assert_eq!(info.dtype, safetensors::Dtype::F32);
    let byte = 8 + length + info.data_offsets.0 + 4 * element;
    weights[byte..byte + 4].copy_from_slice(&value.to_le_bytes());
    let mut changed = MemoryFiles::new();
    changed.insert("model.safetensors", weights);
    (changed, byte)
}

#[test]
fn a_weight_that_cannot_be_stored_is_named_with_its_place() {
    let (tower, decoder) = ("vision_tower.vision_model.encoder.layers.1", "language_model.model.layers.1");
    for (tensor, width, element) in [
        (format!("{tower}.mlp.fc1.weight"), 64, 70 * 64 + 3),
        (format!("{tower}.self_attn.v_proj.weight"), 64, 5 * 64),
        (format!("{tower}.layer_norm2.bias"), 1, 63),
        (format!("{tower}.self_attn.k_proj.bias"), 1, 9),
        (format!("{decoder}.mlp.gate_proj.weight"), 64, 127 * 64 + 63),
        (format!("{decoder}.mlp.up_proj.weight"), 64, 64),
        ("language_model.model.embed_tokens.weight".to_owned(), 64, 1700 * 64 + 1),
    ] {
        let (files, byte) = damaged("pg1-hd16", &tensor, element, f32::NAN);
        let error = refused(&files, CpuPlayer::new(), Dtype::Q8);
        let place = format!("row {}, column {} is NaN", element / width, element % width);
        assert_eq!(error.kind(), ErrorKind::BadModelFile, "{error}");
        assert!(
            error.to_string().starts_with(&format!("model.safetensors, byte {byte}, tensor {tensor}: ")),
            "{error}"
        );
        assert!(error.to_string().contains(&place), "{error}");
    }
    let tensor = format!("{decoder}.mlp.down_proj.weight");
    let (files, byte) = damaged("pg1-hd16", &tensor, 2 * 128 + 7, 1e6);
    let error = refused(&files, CpuPlayer::new(), Dtype::F16);
    let expected = format!("model.safetensors, byte {byte}, tensor {tensor}: the weight at row 2, column 7 is 1000000");
    assert!(error.to_string().starts_with(&expected), "{error}");
}

/// Why a checkpoint with the configuration of `pg1-hd16` is not loaded.
fn refused(files: &dyn ModelFiles, player: CpuPlayer, dtype: Dtype) -> ocelli::base::Error {
    let tensors = Checkpoint::open(files, &CHECKPOINT).expect("it opens");
    let options = SessionOptions { dtype, fuse: true };
    let player = Player::Cpu(Box::new(player));
    let architecture = architecture(&directory("pg1-hd16"));
    block_on(Session::load(player, architecture, &tensors, options, &mut |_| Ok(()))).err().expect("it is refused")
}

#[test]
fn what_was_refused_leaves_a_session_that_answers() {
    let golden = golden("pg1-hd16");
    let case = &golden["cases"][0];
    let mut session = open("pg1-hd16", CpuPlayer::new().with_max_binding(64 << 10), Dtype::F32);
    let ids = prefix(case, image_token("pg1-hd16"));
    let expected = numbers(&case["greedy_ids"]);
    let picture = vec![0.5f32; image_size(&session).pow(2) * 3];
    for round in 0..2 {
        encode(&mut session, case);
        assert_eq!(greedy(&mut session, &ids, expected.len()), expected, "round {round}");
        let too_long = block_on(session.reserve(20_000, 1)).expect_err("no binding holds as many positions");
        assert_eq!(too_long.kind(), ErrorKind::DeviceLimit, "{too_long}");
        assert_eq!(greedy(&mut session, &ids, expected.len()), expected, "after {too_long}");
        let too_many =
            block_on(session.encode(&vec![&picture[..]; 300])).expect_err("nor the features of 300 pictures");
        assert_eq!(too_many.kind(), ErrorKind::DeviceLimit, "{too_many}");
    }
}

#[test]
fn slots_are_where_the_cache_has_them_now() {
    let golden = golden("pg1-hd16");
    let case = &golden["cases"][0];
    let mut session = open("pg1-hd16", CpuPlayer::new(), Dtype::F32);
    encode(&mut session, case);
    let ids = prefix(case, image_token("pg1-hd16"));
    let expected = numbers(&case["greedy_ids"]);
    block_on(async {
        // Eight slots of 128 positions, one of 1024 and two of 512 are the same bytes.
        session.reserve(100, 8).await.expect("there is room");
        prefill(&mut session, &ids).await;
        session.gather_slots(&[0; 8], 0..ids.len()).await.expect("it is copied");
        session.reserve(1000, 1).await.expect("there is room");
        session.reserve(500, 2).await.expect("there is room");
        prefill(&mut session, &ids).await;
        session.gather_slots(&[0, 0], 0..ids.len()).await.expect("it is copied");
        let both = [(1, ids.len(), expected[0]), (0, ids.len(), expected[0])];
        let next = session.decode_each(&both, PassOutput::Greedy).await.expect("it is submitted");
        let next = next.results().await.expect("it plays");
        assert_eq!(next.iter().map(|(top, _)| top.id).collect::<Vec<_>>(), [expected[1]; 2]);
    });
}

#[test]
fn many_slots_of_one_call_are_not_those_of_the_next() {
    let mut session = open("pg1-hd16", CpuPlayer::new(), Dtype::Q8);
    block_on(async {
        session.reserve(100, 8).await.expect("there is room");
        let held = session.session().memory().kv_bytes;
        session.reserve(1000, 1).await.expect("there is room");
        assert_eq!(session.session().memory().kv_bytes, held, "1024 positions in one slot are 128 in eight");
    });
}

#[test]
fn a_table_that_must_be_whole_is_refused_where_no_binding_holds_it() {
    // 16 positions of 64 floats, the largest weight that is bound in one piece.
    let error = refused(&directory("pg1-hd16"), CpuPlayer::new().with_max_binding(2048), Dtype::Q8);
    assert_eq!(error.kind(), ErrorKind::DeviceLimit, "{error}");
    let message = "weight vision.position needs 4096 bytes in one piece, and a binding of the device holds 2048";
    assert_eq!(error.to_string(), message);
}

#[test]
fn a_model_that_memory_does_not_hold_is_refused_before_anything_is_allocated() {
    let session = open("pg1-hd16", CpuPlayer::new(), Dtype::Q8);
    let weights = session.session().memory().weights_bytes;
    let per_token = cache_bytes_per_token(session.session().architecture()).expect("it has a cache");
    // One picture's 16 tokens and 256 of text, in whole steps of the cache.
    let needed = weights + per_token * 320;
    let error = refused(&directory("pg1-hd16"), CpuPlayer::new().with_memory(needed as u64 - 1), Dtype::Q8);
    assert_eq!(error.kind(), ErrorKind::OutOfMemory);
    let message = format!(
        "the model needs {needed} bytes of memory, {weights} of them for its weights, and {} bytes are available",
        needed - 1
    );
    assert_eq!(error.to_string(), message);
    open("pg1-hd16", CpuPlayer::new().with_memory(needed as u64), Dtype::Q8);
}

#[test]
fn memory_is_counted() {
    let mut session = open("pg1-hd16", CpuPlayer::new(), Dtype::Q8);
    let before = session.session().memory();
    assert!(before.weights_bytes > 100_000 && before.kv_bytes == 0, "{before:?}");
    block_on(session.reserve(100, 2)).expect("there is room");
    let per_token = cache_bytes_per_token(session.session().architecture()).expect("it has a cache");
    // 100 positions are rounded up to 128, in two slots, keys and values.
    assert_eq!(session.session().memory().kv_bytes, 2 * 128 * per_token);
    let held = session.into_session().into_player().memory();
    assert_eq!(held.buffers, 0, "{held:?}");
}
