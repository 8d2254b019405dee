//! `ocelli run`: answers, logits, streams, interrupts.

use std::io::Read;
use std::process::{Command, Stdio};
use std::{fs, thread};

use safetensors::SafeTensors;
use serde_json::Value;

use super::program::{Said, below_tests, ocelli, program, scratch};

/// A golden case and the arguments that ask for it.
struct Question {
    golden: Value,
    arguments: Vec<String>,
}

impl Question {
    fn new(checkpoint: &str, case: usize) -> Self {
        let directory = below_tests(&format!("goldens/{checkpoint}"));
        let text = fs::read_to_string(format!("{directory}/golden.json")).expect("the golden can be read");
        let golden: Value = serde_json::from_str::<Value>(&text).expect("the golden is JSON")["cases"][case].take();
        let mut arguments = vec!["run".to_owned(), directory];
        for picture in golden["pictures"].as_array().expect("pictures are a list") {
            let name = picture.as_str().expect("a picture is a name");
            arguments.extend(["--image".into(), below_tests(&format!("pictures/{name}"))]);
        }
        let prompt = golden["prompt"].as_str().expect("a prompt is a text").to_owned();
        let most = golden["max_new_tokens"].to_string();
        arguments.extend(["--prompt".into(), prompt, "--max-new-tokens".into(), most]);
        Self { golden, arguments }
    }

    fn with<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        self.arguments.iter().map(String::as_str).chain(more.iter().copied()).collect()
    }

    fn ask(&self, more: &[&str]) -> Said {
        ocelli(&self.with(more))
    }

    fn text(&self) -> &str {
        self.golden["text"].as_str().expect("the answer is a text")
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number")).collect()
}

#[test]
fn json_holds_the_answer_and_how_it_came_about() {
    let question = Question::new("pg1-hd16", 0);
    let answer = question.ask(&["--dtype", "f32", "--device", "cpu", "--json"]).good();
    assert_eq!(answer["text"], question.golden["text"]);
    assert_eq!(answer["tokens"], question.golden["greedy_ids"]);
    let slots = question.golden["image_token_count"].as_u64().expect("a count") as usize;
    let prompt = question.golden["input_ids"].as_array().expect("a list")[slots..].to_vec();
    assert_eq!(answer["prompt_tokens"], Value::Array(prompt));
    for (found, expected) in numbers(&answer["logprobs"]).iter().zip(numbers(&question.golden["logprobs"])) {
        assert!((found - expected).abs() < 1e-3, "{found} is not {expected}");
    }
    assert_eq!(numbers(&answer["logprobs"]).len(), numbers(&answer["tokens"]).len());
    assert_eq!(answer["finish"], "length");
    assert_eq!(answer["device"], "cpu");
    assert!(answer["adapter"].as_str().is_some_and(|name| !name.is_empty()), "{answer}");
    for timing in ["load_ms", "image_ms", "encode_ms", "prefill_ms", "decode_ms_per_token"] {
        assert!(answer["timings"][timing].as_f64().is_some_and(|ms| ms > 0.0), "{timing} in {answer}");
    }
    for memory in ["weights_bytes", "kv_bytes", "activation_bytes"] {
        assert!(answer["memory"][memory].as_u64().is_some_and(|bytes| bytes > 0), "{memory} in {answer}");
    }
}

#[test]
fn text_goes_to_standard_output_and_nothing_else_does() {
    let question = Question::new("pg2-cap5", 0);
    let said = question.ask(&["--dtype", "f32", "--device", "cpu"]);
    assert_eq!(said.status, Some(0), "{}", said.err);
    assert_eq!(said.out, format!("{}\n", question.text()));
    assert_eq!(said.err, "", "a bar belongs on terminals only");
}

#[test]
fn several_pictures_go_in_order() {
    let question = Question::new("pg1-hd72", 1);
    let answer = question.ask(&["--dtype", "f32", "--device", "cpu", "--json"]).good();
    assert_eq!(answer["tokens"], question.golden["greedy_ids"]);
}

#[test]
fn an_adapter_is_used_by_part_of_its_name() {
    let question = Question::new("pg1-hd16", 2);
    let answer = question.ask(&["--dtype", "f32", "--adapter", "LLVMpipe", "--json"]).good();
    assert_eq!(answer["tokens"], question.golden["greedy_ids"]);
    assert_eq!((&answer["device"], &answer["finish"]), (&"gpu".into(), &"eos".into()));
    assert!(answer["adapter"].as_str().is_some_and(|name| name.contains("llvmpipe")), "{answer}");
}

#[test]
fn a_software_adapter_is_not_chosen_by_itself() {
    let question = Question::new("pg1-hd16", 2);
    let answer = question.ask(&["--dtype", "f32", "--json"]).good();
    assert_eq!(answer["device"], "cpu");
}

#[test]
fn a_small_binding_limit_changes_nothing() {
    let question = Question::new("pg2-gqa", 1);
    for device in ["cpu", "gpu"] {
        let more = ["--dtype", "f32", "--device", device, "--max-binding-mib", "0.0625", "--json"];
        let answer = question.ask(&more).good();
        assert_eq!(answer["tokens"], question.golden["greedy_ids"], "{device}");
    }
}

#[test]
fn logits_are_written_for_numpy() {
    let question = Question::new("pg1-hd72", 0);
    let path = scratch("logits.npy");
    let file = path.display().to_string();
    let answer = question.ask(&["--dtype", "f32", "--device", "cpu", "--json", "--logits", &file]).good();
    assert_eq!(answer["tokens"], question.golden["greedy_ids"]);
    let bytes = fs::read(&path).expect("the logits were written");
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let header = u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
    assert_eq!((10 + header) % 64, 0);
    let described = String::from_utf8_lossy(&bytes[10..10 + header]).into_owned();
    assert!(described.contains("'descr': '<f4', 'fortran_order': False, 'shape': (1793,)"), "{described}");
    let found = floats(&bytes[10 + header..]);
    let golden = fs::read(below_tests("goldens/pg1-hd72/golden.safetensors")).expect("the taps can be read");
    let taps = SafeTensors::deserialize(&golden).expect("the taps are safetensors");
    let expected = floats(taps.tensor("cat-caption/logits/steps").expect("logits are a tap").data());
    assert_eq!(found.len(), 1793);
    let deviation = question.golden["logits_std"][0].as_f64().expect("a number");
    for (x, y) in found.iter().zip(&expected) {
        assert!(f64::from((x - y).abs()) < 1e-3 * deviation, "{x} is not {y}");
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

#[test]
fn a_stop_text_ends_the_answer_and_is_no_part_of_it() {
    let question = Question::new("pg1-hd16", 1);
    let stop = "behind";
    let before = question.text().split(stop).next().expect("a text has a beginning").to_owned();
    let answer =
        question.ask(&["--dtype", "f32", "--device", "cpu", "--stop", "nowhere", "--stop", stop, "--json"]).good();
    assert_eq!((&answer["text"], &answer["finish"]), (&before.into(), &"stop".into()));
}

#[test]
fn a_seed_repeats_a_sample_and_another_differs() {
    let question = Question::new("pg1-hd16", 0);
    let sample = |seed: &str| {
        let more = ["--dtype", "f32", "--device", "cpu", "--temperature", "1.5", "--seed", seed, "--json"];
        question.ask(&more).good()["tokens"].take()
    };
    let first = sample("1");
    assert_eq!(first, sample("1"));
    assert_ne!(first, sample("2"));
}

#[test]
fn an_interrupt_ends_a_run_in_good_order() {
    // At this temperature an answer of this length has no end in sight.
    let mut question = Question::new("pg1-hd16", 0);
    let most = question.arguments.len() - 1;
    question.arguments[most] = "20000".into();
    let more = ["--dtype", "f32", "--device", "cpu", "--temperature", "100", "--top-k", "64"];
    let mut child = program(&question.with(&more))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut out = child.stdout.take().expect("standard output is a pipe");
    let mut first = [0];
    out.read_exact(&mut first).expect("the answer begins");
    let rest = thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
    let said = Said::from(child.wait_with_output().expect("the binary ends"));
    assert_eq!(said.status, Some(130), "{}", said.err);
    assert!(said.err.contains("OCELLI_CANCELLED"), "{}", said.err);
    rest.join().expect("the reader ends").expect("the rest can be read");
}
