//! Boxes, masks and labels out of answers: well-formed ones, malformed ones, and any tokens at all.

#[path = "common/random.rs"]
mod random;
#[path = "common/root.rs"]
mod root;

use std::fs;

use ocelli::models::paligemma::{PromptTokens, SpecialIds, SpecialToken, load_tokenizer, objects};
use ocelli::tasks::{Bounds, Detections};
use ocelli::text::Tokenizer;
use random::Random;
use root::root;

const WIDTH: usize = 2046;
const HEIGHT: usize = 1023;

fn tokenizer() -> (Tokenizer, PromptTokens) {
    let path = root().join("tests/goldens/pg1-hd16/tokenizer.json");
    let json = fs::read(path).expect("the tokenizer can be read");
    load_tokenizer(&json, SpecialIds { bos: 2, image: 1792 }).expect("the tokenizer is well")
}

/// What is found in a text, each token with probability 1/2.
fn found(text: &str) -> Detections {
    let (tokenizer, known) = tokenizer();
    let tokens = tokenizer.encode(text);
    objects(&tokenizer, &known.objects, &tokens, &vec![0.5_f32.ln(); tokens.len()], [WIDTH, HEIGHT])
}

fn labels(found: &Detections) -> Vec<&str> {
    found.objects.iter().map(|object| object.label.as_str()).collect()
}

fn codes(count: usize) -> String {
    (0..count).map(|n| format!("<seg{:03}>", n * 7)).collect()
}

#[test]
fn the_marks_are_where_the_tokenizer_has_them() {
    let (tokenizer, PromptTokens { objects, .. }) = tokenizer();
    let mark = |text: &str| objects.special_token(tokenizer.encode(text)[0]);
    assert_eq!(mark("<loc0000>"), SpecialToken::Location(0));
    assert_eq!(mark("<loc1023>"), SpecialToken::Location(1023));
    assert_eq!(mark("<seg000>"), SpecialToken::Segment(0));
    assert_eq!(mark("<seg127>"), SpecialToken::Segment(127));
    assert_eq!(mark("a"), SpecialToken::Text);
    assert_eq!(objects.special_token(u32::MAX), SpecialToken::Text);
}

#[test]
fn boxes_are_in_pixels_of_the_picture() {
    let found = found("<loc0010><loc0020><loc0110><loc0220> cat ; <loc0000><loc0000><loc1023><loc1023> red car");
    assert_eq!((labels(&found), found.dropped), (vec!["cat", "red car"], 0));
    let [cat, car] = found.objects.as_slice() else { panic!("two objects") };
    assert_eq!(cat.bounds, Bounds { xmin: 40.0, ymin: 10.0, xmax: 440.0, ymax: 110.0 });
    assert_eq!(car.bounds, Bounds { xmin: 0.0, ymin: 0.0, xmax: WIDTH as f32, ymax: HEIGHT as f32 });
    assert!((cat.score - 0.5).abs() < 1e-6 && cat.codes.is_none());
}

#[test]
fn masks_come_with_sixteen_codes() {
    let found = found(&format!("<loc0010><loc0020><loc0110><loc0220>{} cat", codes(16)));
    let object = found.objects.first().expect("an object");
    assert_eq!(object.codes.expect("codes")[..4], [0, 7, 14, 21]);
}

#[test]
fn what_is_malformed_is_counted_and_the_rest_kept() {
    let good = "<loc0001><loc0002><loc0003><loc0004> dog";
    for bad in [
        "<loc0001><loc0002><loc0003> cat",
        "<loc0001><loc0002><loc0003><loc0004><loc0005> cat",
        "<loc0500><loc0002><loc0003><loc0004> cat",
        "<loc0001><loc0004><loc0003><loc0004> cat",
        "<loc0001><loc0002><loc0003><loc0004>",
        "<loc0001><loc0002><loc0003><loc0004> ;",
        &format!("<loc0001><loc0002><loc0003><loc0004>{} cat", codes(15)),
        &format!("<loc0001><loc0002><loc0003><loc0004>{} cat", codes(17)),
        &format!("{} cat", codes(16)),
    ] {
        for text in [format!("{bad} ; {good}"), format!("{good} ; {bad}")] {
            let found = found(&text);
            assert_eq!((labels(&found), found.dropped), (vec!["dog"], 1), "{text}");
        }
    }
}

#[test]
fn an_answer_without_boxes_has_no_objects() {
    for text in ["", "none", " ; ; ", "a cat on a mat"] {
        assert_eq!(found(text), Detections::default(), "{text:?}");
    }
}

#[test]
fn odd_labels_stay_as_they_are() {
    for label in ["Katze & \"Hund\"", "猫", "a\tb", "x".repeat(500).as_str()] {
        let found = found(&format!("<loc0001><loc0002><loc0003><loc0004> {label}"));
        assert_eq!(labels(&found), [label]);
    }
}

#[test]
fn any_tokens_give_boxes_inside_the_picture_or_none() {
    let (tokenizer, known) = tokenizer();
    let first = tokenizer.encode("<loc0000>")[0];
    let mut random = Random::new("soup");
    for _ in 0..3000 {
        let length = random.below(60) as usize;
        // Mostly locations and codes, some text, some ids that are nothing.
        let token = |random: &mut Random| match random.below(8) {
            0..=4 => first + random.below(1024),
            5 => first + 1024 + random.below(128),
            6 => random.below(1700),
            _ => random.next(),
        };
        let tokens: Vec<u32> = (0..length).map(|_| token(&mut random)).collect();
        let logprobs: Vec<f32> = (0..length).map(|_| random.float() * 5.0 - 5.0).collect();
        for object in objects(&tokenizer, &known.objects, &tokens, &logprobs, [640, 480]).objects {
            let Bounds { xmin, ymin, xmax, ymax } = object.bounds;
            assert!(0.0 <= xmin && xmin < xmax && xmax <= 640.0 && 0.0 <= ymin && ymin < ymax && ymax <= 480.0);
            assert!((0.0..=1.0).contains(&object.score) && !object.label.is_empty() && !object.label.contains(';'));
        }
    }
}
