//! The same ids and texts as Hugging Face's `tokenizers`, from the JSON and from the compact form.

use std::collections::BTreeSet;

use ocelli::models::paligemma::SpecialIds;
use ocelli::text::{Tokenizer, TokenizerKind};
use serde_json::{Value, json};
use tokenizers::AddedToken;

use super::texts::{Random, text};
use super::{SPECIAL, embedded_json, gemma_json, load, tiny_json};

const GEMMA: SpecialIds = SpecialIds { bos: 2, image: 257_152 };

/// The same file in both libraries.
pub struct Both {
    reference: tokenizers::Tokenizer,
    ours: Tokenizer,
    compact: Tokenizer,
    pieces: Vec<String>,
    pub added: Vec<String>,
}

impl Both {
    fn load(json: &[u8], special: SpecialIds) -> Self {
        let mut reference = tokenizers::Tokenizer::from_bytes(json).expect("the reference loads it");
        if reference.token_to_id("<image>").is_none() {
            let plain = |text: String, special| AddedToken::from(text, special).normalized(false);
            let mut tokens: Vec<AddedToken> = (0..1024).map(|n| plain(format!("<loc{n:04}>"), false)).collect();
            tokens.extend((0..128).map(|n| plain(format!("<seg{n:03}>"), false)));
            tokens.push(plain("<image>".into(), true));
            reference.add_tokens(&tokens);
        }
        Self::new(reference, load(json, special), |bytes| load(bytes, special))
    }

    /// A tokenizer of any model.
    pub fn plain(json: &[u8]) -> Self {
        let load = |bytes: &[u8]| Tokenizer::load(bytes).expect("the tokenizer is well");
        Self::new(tokenizers::Tokenizer::from_bytes(json).expect("the reference loads it"), load(json), load)
    }

    fn new(reference: tokenizers::Tokenizer, ours: Tokenizer, load: impl Fn(&[u8]) -> Tokenizer) -> Self {
        assert_ne!(ours.kind(), TokenizerKind::Other, "it is the reference itself");
        let bytes = ours.compact(&[7; 32]).expect("it goes into a pack");
        let compact = load(&bytes);
        assert_eq!(compact.source(), Some(&[7; 32]));
        assert_eq!((compact.size(), compact.kind()), (ours.size(), ours.kind()));
        assert!(
            compact.compact(&[7; 32]).is_ok_and(|again| again == bytes),
            "the compact form is written as it was read"
        );
        let mut pieces: Vec<String> = reference.get_vocab(false).into_keys().collect();
        pieces.sort_unstable();
        let added = reference.get_added_tokens_decoder().into_values().map(|token| token.content);
        let added = added.collect::<BTreeSet<_>>().into_iter().collect();
        Self { reference, ours, compact, pieces, added }
    }

    /// Compares so many texts, half of them beside the others; gives the count of ids and of all different ones.
    pub fn compare(&self, seed: u64, texts: usize) -> (usize, usize) {
        std::thread::scope(|scope| {
            let half = scope.spawn(|| self.compare_in_turn(seed + 1000, texts / 2));
            let (count, mut seen) = self.compare_in_turn(seed, texts - texts / 2);
            let (others, more) = half.join().expect("the texts of the other half");
            seen.extend(more);
            (count + others, seen.len())
        })
    }

    fn compare_in_turn(&self, seed: u64, texts: usize) -> (usize, BTreeSet<u32>) {
        let mut random = Random::new(seed);
        let pieces: Vec<&str> = self.pieces.iter().map(String::as_str).collect();
        let added: Vec<&str> = self.added.iter().map(String::as_str).collect();
        let (mut count, mut seen) = (0, BTreeSet::new());
        for n in 0..texts {
            let text = text(&mut random, &pieces, &added);
            let expected = self.reference.encode_fast(text.as_str(), false).expect("the reference encodes it");
            let expected = expected.get_ids();
            assert_eq!(self.compact.encode(&text), expected, "compact, text {n}: {text:?}");
            assert_eq!(self.ours.encode(&text), expected, "JSON, text {n}: {text:?}");
            self.compare_text(expected);
            // Ids that no text gives: bytes that are no characters, special tokens, holes, ids out of range.
            let any: Vec<u32> = (0..expected.len().min(12))
                .map(|_| match random.below(3) {
                    0 => random.below(self.pieces.len() + 2000) as u32,
                    1 => random.below(512) as u32,
                    _ => expected[random.below(expected.len())],
                })
                .collect();
            self.compare_text(&any);
            count += expected.len();
            seen.extend(expected.iter().copied());
        }
        (count, seen)
    }

    fn compare_text(&self, ids: &[u32]) {
        let expected = self.reference.decode(ids, true).expect("the reference decodes it");
        assert_eq!(self.compact.decode(ids), expected, "compact, {ids:?}");
        assert_eq!(self.ours.decode(ids), expected, "JSON, {ids:?}");
    }
}

#[test]
fn a_hundred_thousand_texts_give_the_ids_of_the_full_gemma_tokenizer() {
    let (ids, different) = Both::load(&gemma_json(), GEMMA).compare(1, 100_000);
    println!("{ids} ids, {different} different ones");
    assert!(ids > 1_000_000 && different > 100_000, "{ids} ids, {different} different ones");
}

#[test]
fn thousands_of_texts_give_the_ids_of_the_embedded_model() {
    let json = embedded_json();
    let all: Value = serde_json::from_slice(&json).expect("the tokenizer is JSON");
    let image = all["added_tokens"].as_array().expect("a list").iter().find(|token| token["content"] == "<image>");
    let image = image.and_then(|token| token["id"].as_u64()).expect("an id") as u32;
    let (ids, different) = Both::load(&json, SpecialIds { bos: 2, image }).compare(2, 30_000);
    assert!(ids > 300_000 && different > 2_500, "{ids} ids, {different} different ones");
}

#[test]
fn thousands_of_texts_give_the_ids_of_the_golden_checkpoints() {
    let (ids, different) = Both::load(&tiny_json(), SPECIAL).compare(3, 30_000);
    assert!(ids > 300_000 && different > 1_500, "{ids} ids, {different} different ones");
}

/// A golden tokenizer with something changed.
fn changed(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut json: Value = serde_json::from_slice(&tiny_json()).expect("the tokenizer is JSON");
    change(&mut json);
    json.to_string().into_bytes()
}

/// Gives pieces of single bytes another name, so that their bytes are unknown.
fn without_bytes(json: &mut Value, bytes: impl Iterator<Item = u8>) {
    let vocab = json["model"]["vocab"].as_object_mut().expect("an object");
    for byte in bytes {
        let id = vocab.remove(&format!("<0x{byte:02X}>")).expect("it has all bytes");
        vocab.insert(format!("no byte {byte}"), id);
    }
}

#[test]
fn unknown_characters_are_told_as_the_reference_tells_them() {
    for (fuse, unknown) in [(true, json!("<unk>")), (false, json!("<unk>")), (true, Value::Null)] {
        for fallback in [true, false] {
            let json = changed(|json| {
                // Characters of bytes above 0xC0 are then partly known: unknown ones and bytes come side by side.
                without_bytes(json, 0xd0..=0xe5);
                json["model"]["fuse_unk"] = json!(fuse);
                json["model"]["unk_token"] = unknown.clone();
                json["model"]["byte_fallback"] = json!(fallback);
            });
            Both::load(&json, SPECIAL).compare(4, 4000);
        }
    }
}

#[test]
fn added_tokens_of_every_kind_are_found_as_the_reference_finds_them() {
    let json = changed(|json| {
        let tokens = json["added_tokens"].as_array_mut().expect("a list");
        for (content, lstrip, rstrip, normalized, special) in [
            ("<left>", true, false, false, false),
            ("<right>", false, true, false, true),
            ("<both>", true, true, false, false),
            ("\n", false, false, false, false),
            ("<", false, false, false, false),
            ("<loc0000><loc0000>", false, false, false, false),
            ("a b", false, false, true, false),
            ("\u{2581}c", false, true, true, false),
            ("\u{2581}c d", true, false, true, true),
            ("th", false, false, true, false),
            ("\u{e9}", false, false, false, false),
        ] {
            tokens.push(json!({
                "id": 1793, "content": content, "single_word": false, "lstrip": lstrip, "rstrip": rstrip,
                "normalized": normalized, "special": special
            }));
        }
    });
    let mut both = Both::load(&json, SPECIAL);
    let many: Vec<String> = both.added.iter().filter(|token| !token.contains(char::is_numeric)).cloned().collect();
    both.added = many;
    both.added.extend(["<left> c d".into(), "<both>\n\n<right>\n ".into(), "the a b".into(), "\n <loc0000>".into()]);
    both.compare(5, 20_000);
}

#[test]
fn merges_are_read_in_both_notations_and_the_last_of_a_pair_counts() {
    let lines = changed(|json| {
        let merges = json["model"]["merges"].as_array_mut().expect("a list");
        let first = merges[0].clone();
        merges.push(first);
        let line = |pair: &Value| format!("{} {}", pair[0].as_str().expect("text"), pair[1].as_str().expect("text"));
        let mut lines: Vec<String> = merges.iter().map(line).collect();
        lines.insert(0, "#version: 0.2".into());
        json["model"]["merges"] = json!(lines);
        json["normalizer"] = json!({ "type": "Sequence", "normalizers": [json["normalizer"]] });
        json["pre_tokenizer"] = json!({
            "type": "Split", "pattern": { "String": " " }, "behavior": "MergedWithPrevious", "invert": false
        });
    });
    Both::load(&lines, SPECIAL).compare(6, 4000);
}
