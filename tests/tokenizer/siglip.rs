//! What SigLIP makes of texts, against the classes of transformers.

use std::fs;

use ocelli::base::ErrorKind;
use ocelli::models::TextIds;
use ocelli::models::siglip::SiglipText;
use serde::Deserialize;
use serde_json::{Value, json};

use super::unigram::unigram;
use super::{goldens, tiny_json};

#[derive(Deserialize)]
struct Golden {
    length: usize,
    cases: Vec<Case>,
    special: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    text: String,
    ids: Vec<u32>,
    cut: bool,
}

fn golden(name: &str) -> Golden {
    let text = fs::read(goldens(&format!("tokenizer-unigram/{name}.json"))).expect("the golden can be read");
    let golden: Golden = serde_json::from_slice(&text).expect("the golden is JSON");
    assert_eq!(golden.cases.len(), 300);
    golden
}

fn siglip_json() -> Vec<u8> {
    unigram("siglip").to_string().into_bytes()
}

/// The texts that come out otherwise.
fn different<'a>(texts: &SiglipText, cases: &'a [Case]) -> Vec<&'a str> {
    let other = |case: &&Case| {
        let input = texts.ids(&case.text);
        (&input.ids, input.cut) != (&case.ids, case.cut)
    };
    cases.iter().filter(other).map(|case| case.text.as_str()).collect()
}

#[test]
fn siglip_1_has_the_ids_of_its_class() {
    let golden = golden("siglip");
    let texts = SiglipText::load(&siglip_json(), None, golden.length, 400).expect("it is SigLIP's");
    assert_eq!(different(&texts, &golden.cases), [""; 0]);
    // The compact form is of the tokenizer with SigLIP's own rules in it: they do no harm twice.
    let compact = texts.tokenizer().compact(&[0; 32]).expect("it goes into a pack");
    let again = SiglipText::load(&compact, None, golden.length, 400).expect("it is SigLIP's");
    assert_eq!(different(&again, &golden.cases), [""; 0]);
}

#[test]
fn siglip_2_has_the_ids_of_its_class() {
    let golden = golden("siglip2");
    let texts = SiglipText::load(&tiny_json(), None, golden.length, 1793).expect("it is SigLIP's");
    assert_eq!(different(&texts, &golden.cases), [""; 0]);
    assert_eq!(different(&texts, &golden.special), [""; 0]);
    let upper = SiglipText::load(&tiny_json(), Some(&json!({ "lowercase": false })), golden.length, 1793);
    assert!(different(&upper.expect("it is SigLIP's"), &golden.cases).len() > 100, "capitals make no difference");
}

/// Behind a special token within a text, the class starts a word without a space; the tokenizer's file says otherwise.
#[test]
fn siglip_1_differs_from_its_class_behind_special_tokens_alone() {
    let golden = golden("siglip");
    let texts = SiglipText::load(&siglip_json(), None, golden.length, 400).expect("it is SigLIP's");
    let behind = ["a</s>b", "a </s> b", "</s>the cat", "A Cat. </s> The Dog!", "a</s></s>b"];
    assert_eq!(different(&texts, &golden.special), behind);
}

#[test]
fn the_directorys_file_decides_on_padding_case_and_class() {
    let ids = |json: &[u8], config: Value, text: &str| {
        SiglipText::load(json, Some(&config), 6, 1793).map(|texts| texts.ids(text))
    };
    let left = ids(&tiny_json(), json!({ "padding_side": "left", "pad_token": "<eos>" }), "a").expect("it is SigLIP's");
    assert_eq!((left.ids, left.cut), (vec![1, 1, 1, 1, 298, 1], false));
    let end =
        ids(&tiny_json(), json!({ "eos_token": { "content": "<bos>" } }), "aaa bbb ccc ddd").expect("it is SigLIP's");
    assert!(end.cut && end.ids.len() == 6 && end.ids[5] == 2, "{end:?}");
    let class = |json: &[u8], class: &str| {
        let error = ids(json, json!({ "tokenizer_class": class }), "a").expect_err("it is of another kind");
        assert_eq!(error.kind(), ErrorKind::BadTokenizer);
        error.to_string()
    };
    let said = class(&tiny_json(), "SiglipTokenizer");
    assert!(said.contains("SiglipTokenizer, whose tokenizer is Unigram") && said.contains("is BPE"), "{said}");
    let said = class(&siglip_json(), "GemmaTokenizerFast");
    assert!(said.contains("GemmaTokenizerFast, whose tokenizer is BPE") && said.contains("is Unigram"), "{said}");
    let said = |json: &[u8], config: Value, vocabulary: usize| {
        let error = SiglipText::load(json, Some(&config), 6, vocabulary).expect_err("it does not fit");
        assert_eq!(error.kind(), ErrorKind::BadTokenizer);
    };
    said(&tiny_json(), json!({ "pad_token": "<none>" }), 1793);
    said(&tiny_json(), json!({}), 1792);
    let mut other = unigram("siglip");
    other["normalizer"] = json!({ "type": "NFKC" });
    said(other.to_string().as_bytes(), json!({}), 400);
    let error = SiglipText::load(&tiny_json(), Some(&json!({ "padding_side": 1 })), 6, 1793).map(|_| ());
    let error = error.expect_err("no side");
    assert!(error.to_string().contains("tokenizer_config.json: padding_side"), "{error}");
}
