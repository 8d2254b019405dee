//! Unigram: the same ids and texts as Hugging Face's `tokenizers` for T5's and mT5's kinds, and what is refused.

use std::fs;

use ocelli::base::ErrorKind;
use ocelli::text::{Tokenizer, TokenizerKind};
use serde_json::{Value, json};

use super::goldens;
use super::reference::Both;

fn parsed(name: &str) -> Value {
    let text = fs::read(goldens(&format!("tokenizer-unigram/{name}.tokenizer.json"))).expect("the golden can be read");
    serde_json::from_slice(&text).expect("the golden is JSON")
}

/// A golden tokenizer. The charsmap that all have lies in T5's.
pub fn unigram(name: &str) -> Value {
    let mut json = parsed(name);
    let charsmap = parsed("t5")["normalizer"]["precompiled_charsmap"].take();
    let normalizer = &mut json["normalizer"];
    let part = if normalizer["type"] == "Sequence" { &mut normalizer["normalizers"][0] } else { normalizer };
    part["precompiled_charsmap"] = charsmap;
    json
}

fn bytes(json: &Value) -> Vec<u8> {
    json.to_string().into_bytes()
}

#[test]
fn a_hundred_thousand_texts_give_the_ids_of_t5s_kind() {
    let (ids, different) = Both::plain(&bytes(&unigram("t5"))).compare(11, 100_000);
    println!("{ids} ids, {different} different ones");
    assert!(ids > 1_000_000 && different > 200, "{ids} ids, {different} different ones");
}

#[test]
fn a_hundred_thousand_texts_give_the_ids_of_mt5s_kind() {
    let (ids, different) = Both::plain(&bytes(&unigram("mt5"))).compare(12, 100_000);
    println!("{ids} ids, {different} different ones");
    assert!(ids > 1_000_000 && different > 600, "{ids} ids, {different} different ones");
}

/// Every part that is read, in every way.
#[test]
fn parts_do_what_the_reference_does() {
    let metaspace = |scheme: &str, split: bool| json!({ "type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": scheme, "split": split });
    let replace = |pattern: Value, to: &str| json!({ "type": "Replace", "pattern": pattern, "content": to });
    let words = json!({ "type": "WhitespaceSplit" });
    let sequence = |parts: &[&Value]| json!({ "type": "Sequence", "pretokenizers": parts });
    let cutters = [
        Value::Null,
        words.clone(),
        metaspace("always", true),
        metaspace("always", false),
        metaspace("first", true),
        metaspace("first", false),
        metaspace("never", true),
        json!({ "type": "Metaspace", "replacement": "_", "add_prefix_space": true }),
        json!({ "type": "Metaspace", "replacement": "\u{2581}", "add_prefix_space": false, "prepend_scheme": "never" }),
        sequence(&[&words, &metaspace("first", true)]),
        sequence(&[&metaspace("first", true), &metaspace("always", true)]),
        sequence(&[&sequence(&[&metaspace("never", false)]), &words]),
    ];
    let charsmap = unigram("t5")["normalizer"].take();
    let punctuation = r##"[!"#$%&'()*+,-./:;<=>?@\[\\\]^_`{|}~]"##;
    let escaped = r##"[!"\#\$%\&'\(\)\*\+,\-\./:;<=>\?@\[\\\]\^_`\{\|\}\~]"##;
    let normalizers = [
        vec![],
        vec![charsmap.clone()],
        vec![json!({ "type": "Strip", "strip_left": true, "strip_right": true }), charsmap.clone()],
        vec![json!({ "type": "Lowercase" }), charsmap.clone(), replace(json!({ "Regex": " {2,}" }), "\u{2581}")],
        vec![json!({ "type": "Lowercase" }), replace(json!({ "Regex": punctuation }), ""), charsmap.clone()],
        vec![
            replace(json!({ "Regex": r"\s+" }), " "),
            json!({ "type": "Strip", "strip_left": true, "strip_right": false }),
        ],
        vec![replace(json!({ "Regex": escaped }), " "), json!({ "type": "Sequence", "normalizers": [charsmap] })],
        vec![
            replace(json!({ "String": "th" }), "TH"),
            replace(json!({ "Regex": "[a-cé]{3,}" }), "<>"),
            json!({ "type": "Lowercase" }),
        ],
    ];
    for (n, cutter) in cutters.iter().enumerate() {
        for (m, normalizers) in normalizers.iter().enumerate() {
            let mut json = unigram("mt5");
            json["normalizer"] = json!({ "type": "Sequence", "normalizers": normalizers });
            json["pre_tokenizer"] = cutter.clone();
            json["decoder"]["prepend_scheme"] = json!(["always", "first", "never"][n % 3]);
            Both::plain(&bytes(&json)).compare((100 + 10 * n + m) as u64, 400);
        }
    }
}

#[test]
fn unknown_letters_are_bytes_where_the_file_says_so() {
    let mut json = unigram("mt5");
    json["model"]["byte_fallback"] = json!(true);
    json["decoder"] = json!({ "type": "Sequence", "decoders": [
        { "type": "Replace", "pattern": { "String": "\u{2581}" }, "content": " " }, { "type": "ByteFallback" }, { "type": "Fuse" }
    ] });
    let (_, different) = Both::plain(&bytes(&json)).compare(13, 4000);
    assert!(different > 600, "{different} different ids");
    // Some bytes are missing: letters of them are unknown.
    let vocab = json["model"]["vocab"].as_array_mut().expect("a list");
    let byte = vocab.iter_mut().find(|piece| piece[0] == "<0xE2>").expect("it has all bytes");
    byte[0] = json!("no byte");
    Both::plain(&bytes(&json)).compare(14, 4000);
}

#[test]
fn ties_pieces_that_come_twice_and_odd_scores_are_as_in_the_reference() {
    let mut json = unigram("mt5");
    // Few scores, so that many sums are equal; above 0, so that unknown letters may win.
    for (n, piece) in json["model"]["vocab"].as_array_mut().expect("a list").iter_mut().enumerate() {
        piece[1] = json!([-1.5, 12.0, 0.1, -3.0, 30.25, -1e-9, 1e30][n * 31 % 7]);
    }
    for (piece, score) in [("a", 2.0), ("a", -4.0), ("", 50.0), ("<unk>", 1.0), ("th", -1.5), ("\u{1f600}b", 12.0)] {
        json["model"]["vocab"].as_array_mut().expect("a list").push(json!([piece, score]));
    }
    Both::plain(&bytes(&json)).compare(15, 6000);
}

#[test]
fn added_tokens_are_found_in_normalized_texts() {
    let mut json = unigram("t5");
    json["normalizer"] = json!({ "type": "Sequence", "normalizers": [{ "type": "Lowercase" }, json["normalizer"]] });
    json["pre_tokenizer"] = json!({ "type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": "first" });
    for (content, lstrip, rstrip, normalized) in [
        ("THE", false, false, true),
        ("ﬁN", true, false, true),
        ("A  b", false, true, true),
        ("</x>", true, true, false),
    ] {
        json["added_tokens"].as_array_mut().expect("a list").push(json!({
            "id": 900, "content": content, "single_word": false, "lstrip": lstrip, "rstrip": rstrip,
            "normalized": normalized, "special": false
        }));
    }
    let mut both = Both::plain(&bytes(&json));
    both.added.extend(["the fin</x> THE".into(), "ΣTHE\u{301}".into(), " a  B".into()]);
    both.compare(16, 10_000);
}

fn refused(json: &Value, parts: &[&str]) {
    let error = Tokenizer::load(&bytes(json)).map(|tokenizer| tokenizer.kind());
    let error = ocelli::base::Error::from(error.expect_err("it is unusable"));
    assert_eq!(error.kind(), ErrorKind::BadTokenizer, "{error}");
    for part in parts {
        assert!(error.to_string().contains(part), "{part:?} was expected in {error}");
    }
}

#[test]
fn damaged_files_are_refused() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut json = unigram("t5");
        change(&mut json);
        json
    };
    refused(&with(&|json| json["model"]["unk_id"] = Value::Null), &["unk_id"]);
    refused(&with(&|json| json["model"]["unk_id"] = json!(4000)), &["unknown token 4000"]);
    refused(&with(&|json| json["model"]["vocab"] = json!({ "a": 0 })), &["Unigram", "BPE"]);
    refused(&with(&|json| json["model"]["type"] = json!("BPE")), &["Unigram", "BPE"]);
    let charsmap = |map: &str| with(&|json| json["normalizer"]["precompiled_charsmap"] = json!(map));
    refused(&charsmap("no base64"), &["base64"]);
    refused(&charsmap(""), &["charsmap ends too early"]);
    refused(&charsmap("////fwAA"), &["charsmap ends too early"]);
    let doubled = json!({ "type": "Replace", "pattern": { "String": "a" }, "content": "aa" });
    let normalizer = json!({ "type": "Sequence", "normalizers": vec![doubled; 17] });
    refused(&with(&|json| json["normalizer"] = normalizer.clone()), &["texts too long"]);
    let cutter = json!({ "type": "Sequence", "pretokenizers": vec![json!({ "type": "WhitespaceSplit" }); 9] });
    refused(&with(&|json| json["pre_tokenizer"] = cutter.clone()), &["too many pre-tokenizers"]);
    // One unit that leads to 4096, and a pool.
    refused(&charsmap("BAAAAAAAQAAA"), &["leads out of itself"]);
}

/// What only the crate has: it works on the command line, and is no pack.
#[test]
fn other_parts_are_left_to_the_crate() {
    let mut json = unigram("mt5");
    json["normalizer"]["normalizers"][0] = json!({ "type": "NFKC" });
    let tokenizer = Tokenizer::load(&bytes(&json)).expect("the crate has it");
    let reference = tokenizers::Tokenizer::from_bytes(bytes(&json)).expect("the crate has it");
    assert_eq!(tokenizer.kind(), TokenizerKind::Other);
    assert_eq!(tokenizer.id("<unk>"), Some(2));
    assert_eq!(tokenizer.size().pieces, reference.get_vocab_size(false));
    let error = ocelli::base::Error::from(tokenizer.compact(&[0; 32]).expect_err("a pack does not hold it"));
    assert!(error.to_string().contains("\"NFKC\", expected Precompiled, Replace"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let text = "the ｃat\u{2003}<unk> 猫😀 </s> dog";
    let ids = reference.encode_fast(text, false).expect("it encodes").get_ids().to_vec();
    assert_eq!(tokenizer.encode(text), ids);
    assert_eq!(tokenizer.decode(&ids), reference.decode(&ids, true).expect("it decodes"));
    streams(&tokenizer, &ids);
}

/// What comes piece by piece is what comes as a whole.
fn streams(tokenizer: &Tokenizer, ids: &[u32]) {
    let mut stream = tokenizer.stream();
    let mut text: String = ids.iter().map(|&id| stream.push(id)).collect();
    text += &stream.finish();
    assert_eq!(text, tokenizer.decode(ids));
}

#[test]
fn a_tokenizer_of_the_crates_streams_whole_letters() {
    let bytes_and = |others: [&str; 2]| {
        let all = (0..=255).map(|byte| format!("<0x{byte:02X}>")).chain(others.map(str::to_owned));
        all.zip(0..).map(|(piece, id)| (piece, json!(id))).collect::<serde_json::Map<_, _>>()
    };
    let json = json!({
        "version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": null, "post_processor": null,
        "decoder": { "type": "Sequence", "decoders": [{ "type": "ByteFallback" }, { "type": "Fuse" }] },
        "model": {
            "type": "BPE", "unk_token": "<unk>", "byte_fallback": true, "fuse_unk": false, "merges": [],
            "vocab": bytes_and(["<unk>", "a"])
        }
    });
    let tokenizer = Tokenizer::load(&bytes(&json)).expect("the crate has it");
    assert_eq!(tokenizer.kind(), TokenizerKind::Other);
    let ids = tokenizer.encode("a\u{1f600}\u{4e2d}a");
    let mut stream = tokenizer.stream();
    let pieces: Vec<String> = ids.iter().map(|&id| stream.push(id)).collect();
    assert!(pieces.iter().all(|piece| !piece.contains('\u{fffd}')), "{pieces:?}");
    assert_eq!(pieces.concat() + &stream.finish(), "a\u{1f600}\u{4e2d}a");
    streams(&tokenizer, &ids[..3]);
    let none = json!({ "type": "WordLevel", "vocab": { "a": 0 }, "unk_token": "none" });
    let mut json = json;
    json["model"] = none;
    refused(&json, &["no token for letters that it does not know"]);
}
