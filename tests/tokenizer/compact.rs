//! The compact form when it is damaged: an error, and never a panic.

use ocelli::base::ErrorKind;
use ocelli::models::paligemma::load_tokenizer;
use ocelli::text::Tokenizer;

use super::texts::{Random, text};
use super::{SPECIAL, load, tiny, tiny_json};

/// Where the checksum stands, and where what it covers starts.
const SUM: usize = 12;
const COVERED: usize = 20;

fn compact() -> Vec<u8> {
    tiny().compact(&[0; 32]).expect("BPE goes into a pack")
}

fn refused(bytes: &[u8]) -> String {
    let error = load_tokenizer(bytes, SPECIAL).expect_err("it is damaged");
    assert_eq!(error.kind(), ErrorKind::BadTokenizer, "{error}");
    error.to_string()
}

/// Makes a damaged file look whole.
fn signed(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = bytes[COVERED..]
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    bytes[SUM..COVERED].copy_from_slice(&sum.to_le_bytes());
    bytes
}

#[test]
fn the_compact_form_is_smaller_and_says_what_it_was_made_of() {
    let (json, bytes) = (tiny_json(), compact());
    assert!(bytes.len() * 4 < json.len(), "{} bytes of {}", bytes.len(), json.len());
    let tokenizer = load(&bytes, SPECIAL);
    assert_eq!(tokenizer.source(), Some(&[0; 32]));
    assert_eq!(load(&json, SPECIAL).source(), None);
    assert_eq!(tokenizer.encode("caption <loc0012>"), [&tokenizer.encode("caption ")[..], &[652]].concat());
    assert_eq!(signed(bytes.clone()), bytes);
}

#[test]
fn every_part_of_a_file_is_refused() {
    let bytes = compact();
    for end in 0..bytes.len() {
        refused(&bytes[..end]);
    }
    refused(&[&bytes[..], &[0]].concat());
}

#[test]
fn every_damaged_byte_is_seen() {
    let bytes = compact();
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1 << (place % 8);
        refused(&damaged);
    }
    let mut random = Random::new(1);
    for _ in 0..2000 {
        let mut damaged = bytes.clone();
        for _ in 0..1 + random.below(64) {
            let place = random.below(damaged.len());
            damaged[place] = random.next() as u8;
        }
        assert!(damaged == bytes || !refused(&damaged).is_empty());
    }
}

#[test]
fn other_formats_are_told_from_damage() {
    let mut bytes = compact();
    bytes[8] = 3;
    let said = refused(&bytes);
    assert!(said.contains("tokenizer.bin") && said.contains("format 3") && said.contains("reads 1 and 2"), "{said}");
    let mut bytes = compact();
    bytes[5000] ^= 1;
    assert!(refused(&bytes).contains("checksum"), "{}", refused(&bytes));
}

/// Files that somebody made on purpose: their checksum is right, and what they hold is not.
#[test]
fn hostile_files_are_refused_or_work() {
    let bytes = compact();
    for end in COVERED..bytes.len() {
        refused(&signed(bytes[..end].to_vec()));
    }
    let mut random = Random::new(2);
    let (mut taken, mut reasons) = (0, std::collections::BTreeSet::new());
    for round in 0..30_000 {
        let mut hostile = bytes.clone();
        // Behind the source's sum: in the head, where the counts are, half of the time.
        let places = if round % 2 == 0 { 64 } else { bytes.len() - COVERED - 32 };
        for _ in 0..1 + random.below(4) {
            let place = (COVERED + 32 + random.below(places)).min(hostile.len() - 1);
            match random.below(4) {
                0 => drop(hostile.remove(place)),
                1 => hostile.insert(place, random.next() as u8),
                2 => hostile[place] = 0xff,
                _ => hostile[place] = random.next() as u8,
            }
        }
        match load_tokenizer(&signed(hostile), SPECIAL) {
            Ok((tokenizer, _)) => {
                let text = text(&mut random, &["th", "<0x41>", "\u{2581}"], &["<loc0001>", "<bos>"]);
                let ids = tokenizer.encode(&text);
                tokenizer.decode(&ids);
                tokenizer.decode(&(0..20).map(|_| random.below(2000) as u32).collect::<Vec<u32>>());
                taken += 1;
            }
            Err(error) => drop(reasons.insert(error.to_string())),
        }
    }
    assert!(taken > 300 && reasons.len() > 8, "{taken} were taken; {reasons:?}");
}

#[test]
fn a_count_larger_than_the_file_allocates_nothing() {
    // Flags, unknown token, then a vocabulary of 2^32 - 1 pieces.
    let head = [&compact()[..COVERED], &[0; 32]].concat();
    let said = refused(&signed([&head[..], &[3, 4], &[0xff, 0xff, 0xff, 0xff, 0x0f]].concat()));
    assert!(said.contains("more parts than bytes"), "{said}");
    let said = refused(&signed([&head[..], &[3, 4], &[0xff; 6]].concat()));
    assert!(said.contains("32 bits"), "{said}");
}

/// The Unigram of many scripts.
fn of_unigram() -> Vec<u8> {
    let json = super::unigram::unigram("mt5").to_string().into_bytes();
    Tokenizer::load(&json).expect("it is well").compact(&[0; 32]).expect("it goes into a pack")
}

fn unusable(bytes: &[u8]) -> String {
    let error = ocelli::base::Error::from(Tokenizer::load(bytes).expect_err("it is damaged"));
    assert_eq!(error.kind(), ErrorKind::BadTokenizer, "{error}");
    error.to_string()
}

#[test]
fn unigrams_are_refused_where_they_contradict_themselves() {
    let bytes = of_unigram();
    for end in (COVERED..bytes.len()).step_by(997).chain(bytes.len() - 2000..bytes.len()) {
        unusable(&signed(bytes[..end].to_vec()));
    }
    let place = |part: &[u8]| bytes.windows(part.len()).position(|window| window == part).expect("it is there");
    let with = |at: usize, new: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[at..at + new.len()].copy_from_slice(new);
        unusable(&signed(bytes))
    };
    // The score of `<pad>`, which is 0, stands behind the last piece.
    let scores = place("dow\u{64a}".as_bytes()) + "dow\u{64a}".len();
    for score in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let said = with(scores, &score.to_le_bytes());
        assert!(said.contains("one of its scores is no number"), "{said}");
    }
    // Behind the sum: three normalizers, of which the first is the charsmap; its length takes three bytes, and then
    // come the length of its trie and the trie.
    let trie = COVERED + 32 + 5;
    let said = with(trie, &[0xff; 4]);
    assert!(said.contains("its charsmap ends too early"), "{said}");
    let said = with(trie + 4, &[0, 0xfe, 0xff, 0x7f]);
    assert!(said.contains("its charsmap leads out of itself"), "{said}");
    let said = with(COVERED + 32, &[0xff, 0xff, 0x7f, 0xff]);
    assert!(said.contains("tokenizer.bin"), "{said}");
}

#[test]
fn every_damaged_byte_of_a_unigrams_is_seen() {
    let bytes = of_unigram();
    for place in (0..bytes.len()).step_by(61) {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1 << (place % 8);
        unusable(&damaged);
    }
}
