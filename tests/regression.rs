//! One test per past defect that no other suite would have shown, each named by what went wrong.

#[path = "common/root.rs"]
mod root;

use ocelli::base::{Error, ErrorKind};
use ocelli::format::{Checkpoint, Directory, FormatError, MemoryFiles, ModelFiles, read_json};
use ocelli::models;
use ocelli::models::paligemma::{CHECKPOINT, PaliGemmaConfig};
use ocelli::session::{AutoRegressive, CpuPlayer, LoadProgress, Player, Session, SessionOptions};
use ocelli::tasks::{Call, GenerateOptions, Model, ModelOptions, Request};
use pollster::block_on;
use root::root;
use serde_json::json;

fn files() -> Directory {
    let path = root().join("tests/goldens/pg1-hd16");
    Directory::open(path).expect("the checkpoint is there")
}

fn session(player: CpuPlayer) -> Result<Session, Error> {
    let files = files();
    let architecture = models::open(&read_json(&files, "config.json")?)?;
    let tensors = Checkpoint::open(&files, &CHECKPOINT)?;
    let player = Player::Cpu(Box::new(player));
    block_on(Session::load(player, architecture, &tensors, SessionOptions::default(), &mut |_: LoadProgress| Ok(())))
}

fn model() -> Model {
    let player = Player::Cpu(Box::new(CpuPlayer::new()));
    block_on(Model::load(&files(), player, ModelOptions::default(), || 0.0, &mut |_| Ok(()))).expect("it loads")
}

fn ask(model: &mut Model, options: &GenerateOptions) -> ocelli::generate::Generation {
    let request = Request { pictures: &[], prompt: "caption en", options };
    block_on(model.generate(request, &Call::default(), &mut |_| ())).expect("an answer").generation
}

/// A position table above the binding limit was bound by its first shard, which a player called a defect of ocelli.
#[test]
fn a_position_table_above_the_binding_limit_is_no_internal_error() {
    let error = session(CpuPlayer::new().with_max_binding(2048)).err().expect("it is refused");
    assert_eq!(error.kind(), ErrorKind::DeviceLimit, "{error}");
}

/// The logits of a scored answer were never split, so that a vocabulary of 257,216 needed 296 MB in one binding.
#[test]
fn scoring_needs_no_binding_for_the_logits_of_all_tokens() {
    let ids: Vec<u32> = (0..40).map(|n| 100 + n).collect();
    let score = |player| {
        let mut model = AutoRegressive::new(session(player).expect("it loads")).expect("it writes text");
        block_on(model.score(&ids[..20], &ids[20..])).expect("it scores")
    };
    // 64 rows of 1,856 logits are 464 KiB.
    let (whole, chunked) = (score(CpuPlayer::new()), score(CpuPlayer::new().with_max_binding(64 << 10)));
    assert_eq!(whole.len(), 20);
    for (a, b) in whole.iter().zip(&chunked) {
        assert!((a - b).abs() < 1e-4, "{a} {b}");
    }
}

/// Fields that hub checkpoints of PaliGemma 2 leave out were asked for.
#[test]
fn a_configuration_may_leave_out_what_transformers_has_defaults_for() {
    let json = json!({
        "model_type": "paligemma",
        "text_config": { "model_type": "gemma2", "vocab_size": 257_216 },
        "vision_config": { "hidden_size": 1152, "num_attention_heads": 16, "patch_size": 14 },
    });
    let t = PaliGemmaConfig::from_hf(&json).expect("it is a PaliGemma 2's").decoder;
    assert_eq!((t.width, t.heads, t.kv_heads), (2304, 8, 4));
}

/// Scaled rotary frequencies were read as plain ones: a plausible wrong answer.
#[test]
fn scaled_rotary_frequencies_are_not_run_as_plain_ones() {
    let files = files();
    let mut json = read_json(&files, "config.json").expect("it is there");
    json["text_config"]["rope_scaling"] = json!({ "type": "linear", "factor": 4.0 });
    let fault = PaliGemmaConfig::from_hf(&json).expect_err("it is refused");
    assert_eq!(Error::from(fault).kind(), ErrorKind::Unsupported);
}

/// An end token that is no token's id was passed over, and answers ended as config.json says.
#[test]
fn an_end_token_of_the_generation_settings_that_is_no_id_is_refused_by_name() {
    let directory = files();
    for (ids, message) in [
        (json!([1, -1]), "eos_token_id[1] is -1, expected a token's id, a whole number below 2^31"),
        (json!("</s>"), "eos_token_id is \"</s>\", expected a token's id or a list of them"),
    ] {
        let mut files = MemoryFiles::new();
        for name in directory.names() {
            files.insert(name, directory.get(name).expect("it is there").to_vec());
        }
        files.insert("generation_config.json", json!({ "eos_token_id": ids }).to_string().into_bytes());
        let player = Player::Cpu(Box::new(CpuPlayer::new()));
        let loaded = block_on(Model::load(&files, player, ModelOptions::default(), || 0.0, &mut |_| Ok(())));
        let error = loaded.err().expect("it is refused");
        assert_eq!(error.to_string(), format!("generation_config.json: {message}"));
        assert_eq!(error.kind(), ErrorKind::BadConfig);
    }
}

/// A config.json that is no JSON was called a damaged weights file.
#[test]
fn a_malformed_configuration_is_called_one() {
    let mut files = MemoryFiles::new();
    files.insert("config.json", b"{\"model_type\": ".to_vec());
    let fault = read_json(&files, "config.json").expect_err("it is no JSON");
    assert!(matches!(fault, FormatError::Json { .. }), "{fault}");
    assert_eq!(Error::from(fault).code(), "OCELLI_BAD_CONFIG");
}

/// `--logits` answered twice, once for the logits and once for the text.
#[test]
fn the_logits_of_the_prompt_come_with_its_answer() {
    let mut model = model();
    let one = GenerateOptions { max_new_tokens: Some(1), ..GenerateOptions::default() };
    ask(&mut model, &one);
    let expected = block_on(model.logits()).expect("there are some");
    for (beams, temperature) in [(1, 0.0), (1, 0.8), (2, 0.0)] {
        let options = GenerateOptions {
            max_new_tokens: Some(5),
            keep_logits: true,
            beams,
            temperature,
            ..GenerateOptions::default()
        };
        assert_eq!(ask(&mut model, &options).logits, expected, "{beams} beams, temperature {temperature}");
    }
    assert!(ask(&mut model, &one).logits.is_empty(), "nobody asked for them");
}
