//! The grammar of answers with objects: which ids may come next, and when a first box is chosen.

#[path = "common/root.rs"]
mod root;

use std::fs;

use ocelli::models::Grammar;
use ocelli::models::paligemma::{ObjectGrammar, ObjectTokens, SpecialIds, load_tokenizer};
use ocelli::text::Tokenizer;
use root::root;

const EOS: u32 = 1;

fn tokenizer() -> (Tokenizer, ObjectTokens) {
    let path = root().join("tests/goldens/pg1-hd16/tokenizer.json");
    let json = fs::read(path).expect("the tokenizer can be read");
    let loaded = load_tokenizer(&json, SpecialIds { bos: 2, image: 1792 });
    let (tokenizer, tokens) = loaded.expect("the tokenizer is well");
    (tokenizer, tokens.objects)
}

fn grammar(tokens: &ObjectTokens, masks: bool) -> ObjectGrammar {
    ObjectGrammar::new(tokens, &[EOS], masks).expect("the tokenizer has the tokens of boxes and masks")
}

/// Logits and the logarithm of the sum of their exponentials.
fn logits(tokens: &ObjectTokens, nothing: f32, edges: &[(usize, f32)]) -> (Vec<f32>, f32) {
    let mut logits = vec![-30.0; tokens.segments.end.max(tokens.locations.end) as usize];
    logits[EOS as usize] = nothing;
    for &(edge, logit) in edges {
        logits[tokens.locations.start as usize + edge] = logit;
    }
    let sum: f32 = logits.iter().map(|logit| logit.exp()).sum();
    (logits, sum.ln())
}

#[test]
fn boxes_that_are_together_likelier_than_nothing_overrule_it() {
    let (_, tokens) = tokenizer();
    let edges: Vec<(usize, f32)> = (100..103).map(|edge| (edge, if edge == 101 { -0.4 } else { -0.6 })).collect();
    let (logits, logsumexp) = logits(&tokens, 0.0, &edges);
    let nothing = logits[EOS as usize];
    assert!(logits.iter().all(|&logit| logit <= nothing), "nothing is the likeliest single token");
    let first = tokens.locations.start + 101;
    assert_eq!(grammar(&tokens, false).first(&logits, logsumexp), Some((first, -0.4)));
}

#[test]
fn nothing_stands_where_it_is_likelier_than_all_boxes_together() {
    let (_, tokens) = tokenizer();
    let edges: Vec<(usize, f32)> = (100..103).map(|edge| (edge, -1.2)).collect();
    let (logits, logsumexp) = logits(&tokens, 0.0, &edges);
    assert_eq!(grammar(&tokens, false).first(&logits, logsumexp), None);
}

#[test]
fn a_box_that_is_the_likeliest_stays_the_first() {
    let (_, tokens) = tokenizer();
    let (logits, logsumexp) = logits(&tokens, -5.0, &[(7, 2.0), (8, 1.0)]);
    let first = tokens.locations.start + 7;
    assert_eq!(grammar(&tokens, true).first(&logits, logsumexp), Some((first, 2.0)));
}

#[test]
fn what_may_come_follows_from_what_came() {
    let (tokenizer, tokens) = tokenizer();
    let ObjectTokens { locations, segments } = tokens.clone();
    let range = |ids: &std::ops::Range<u32>| Some(ids.start as usize..ids.end as usize);
    let words = locations.start as usize;
    let word = tokenizer.encode("a")[0];
    let end = tokenizer.encode(" ;");
    for masks in [false, true] {
        let mut grammar = grammar(&tokens, masks);
        let mut push = |id: u32| {
            grammar.push(id, &tokenizer.decode(&[id]));
            grammar.ahead()
        };
        let codes = if masks { 16 } else { 0 };
        // Before any box all ids may come, and so again behind a separator.
        assert_eq!(push(word), [None]);
        for edge in 1..=4u32 {
            let ahead = push(locations.start + edge);
            let (edges, rest) = ahead.split_at(4 - edge as usize);
            assert!(edges.iter().all(|ids| *ids == range(&locations)), "{ahead:?}");
            assert!(rest[..codes].iter().all(|ids| *ids == range(&segments)), "{ahead:?}");
            // A label begins with a word, not with an end.
            assert_eq!(rest[codes..], [Some(EOS as usize + 1..words)]);
        }
        for code in 0..codes as u32 {
            assert_eq!(push(segments.start + code).len(), codes - code as usize);
        }
        assert_eq!(push(word), [Some(0..words)]);
        let last = end.iter().map(|&id| push(id)).last();
        assert_eq!(last, Some(vec![None]));
    }
}
