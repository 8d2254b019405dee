//! The embedded model: transformers' own answers with the same weights, on the CPU player; whole tasks on top.

#[path = "common/root.rs"]
mod root;

use std::fs;
use std::path::PathBuf;

use ocelli::format::Directory;
use ocelli::session::{CpuPlayer, Player};
use ocelli::tasks::{
    Call, GenerateOptions, Model, ModelOptions, Outcome, Request, Rgb8, Task, decode_picture, inspect, verify,
};
use pollster::block_on;
use root::root;
use serde::Deserialize;

/// Two logits closer than this may change places: activations are quantised on the CPU.
const MARGIN: f32 = 0.25;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    picture: String,
    prompt: String,
    prompt_tokens: Vec<u32>,
    tokens: Vec<u32>,
    margins: Vec<f32>,
}

fn below(path: &str) -> PathBuf {
    root().join(path)
}

fn pack() -> Directory {
    Directory::open(below("web/models/tiny")).expect("the pack is there")
}

fn load() -> Model {
    let player = Player::Cpu(Box::new(CpuPlayer::new()));
    block_on(Model::load(&pack(), player, ModelOptions::default(), || 0.0, &mut |_| Ok(()))).expect("it loads")
}

fn sample(name: &str) -> Rgb8 {
    let bytes = fs::read(below("web/demo/samples").join(name)).expect("the sample is there");
    decode_picture(&bytes, name).expect("it is a picture")
}

fn run_task(model: &mut Model, picture: &Rgb8, task: &Task, options: &GenerateOptions) -> Outcome {
    let pictures = std::slice::from_ref(picture);
    block_on(model.run_task(pictures, task, options, &Call::default(), &mut |_| ())).expect("an answer").outcome
}

#[test]
fn the_pack_is_whole_small_and_carries_a_mask_decoder() {
    let found = verify(&pack(), &mut |_| Ok(())).expect("it is whole");
    assert!(found.bytes <= 12_000_000, "{} bytes", found.bytes);
    assert!(load().decodes_masks());
    let labels: Vec<String> =
        serde_json::from_slice(&fs::read(below("web/models/tiny/labels.json")).expect("it is there")).expect("a list");
    assert!(labels.len() >= 120, "{} labels", labels.len());
    assert_eq!(inspect(&pack()).expect("it can be looked at").memory.keys().copied().collect::<Vec<_>>(), ["q8"]);
}

#[test]
fn answers_are_those_of_transformers() {
    let text = fs::read_to_string(below("tests/goldens/embedded/golden.json")).expect("the golden is there");
    let golden: Golden = serde_json::from_str(&text).expect("it fits");
    let mut model = load();
    let mut compared = 0;
    for case in &golden.cases {
        let pictures = [sample(&case.picture)];
        let options = GenerateOptions { max_new_tokens: Some(case.tokens.len()), ..GenerateOptions::default() };
        let request = Request { pictures: &pictures, prompt: &case.prompt, options: &options };
        let answer = block_on(model.generate(request, &Call::default(), &mut |_| ())).expect("an answer");
        assert_eq!(answer.prompt_tokens, case.prompt_tokens, "{}", case.prompt);
        let sure = case.margins.iter().position(|&margin| margin < MARGIN).unwrap_or(case.tokens.len());
        assert_eq!(answer.generation.tokens[..sure], case.tokens[..sure], "{} {}", case.picture, case.prompt);
        compared += sure;
    }
    assert!(compared > 40, "only {compared} tokens were sure enough to compare");
}

#[test]
fn the_grammar_changes_nothing_where_the_model_keeps_to_it() {
    let mut model = load();
    let owned = |labels: &[&str]| labels.iter().map(|&label| label.to_owned()).collect::<Vec<_>>();
    let mut objects = 0;
    for (name, labels) in
        [("pets.png", owned(&["cat", "dog"])), ("street.png", owned(&["car"])), ("fruit.png", owned(&["apple"]))]
    {
        let picture = sample(name);
        for task in [Task::Detect { labels: labels.clone() }, Task::Segment { labels: labels.clone() }] {
            let constrained = run_task(&mut model, &picture, &task, &GenerateOptions::default());
            let loose = GenerateOptions { constrained: false, ..GenerateOptions::default() };
            let free = run_task(&mut model, &picture, &task, &loose);
            // With the grammar a box is chosen when it is likelier than nothing, and a mask never left out.
            let masks = matches!(task, Task::Segment { .. });
            let strays = free.dropped() > 0 || free.objects().iter().any(|object| object.codes.is_some() != masks);
            if free.objects().is_empty() || strays {
                continue;
            }
            assert_eq!(
                constrained.answer().expect("words").generation.tokens,
                free.answer().expect("words").generation.tokens,
                "{name} {task:?}"
            );
            for (kept, loose) in constrained.objects().iter().zip(free.objects()) {
                // Its edges are weighed among edges alone, so it can only be surer, and where the model means a box by
                // little.
                let surer = kept.score - loose.score;
                assert!((-1e-3..0.1).contains(&surer), "{name}: a score of {} became {}", loose.score, kept.score);
            }
            objects += constrained.objects().len();
        }
    }
    assert!(objects > 0, "nothing was found at all");
}

#[test]
fn boxes_lie_in_the_picture_and_masks_in_their_boxes() {
    let mut model = load();
    let labels = vec!["car".to_owned()];
    let picture = sample("street.png");
    let task = Task::Segment { labels };
    let found = run_task(&mut model, &picture, &task, &GenerateOptions::default());
    assert!(!found.objects().is_empty(), "no car was found");
    for object in found.objects() {
        let b = &object.bounds;
        assert!(0.0 <= b.xmin && b.xmin < b.xmax && b.xmax <= picture.width() as f32, "{b:?}");
        assert!(0.0 <= b.ymin && b.ymin < b.ymax && b.ymax <= picture.height() as f32, "{b:?}");
        assert!((0.0..=1.0).contains(&object.score), "{}", object.score);
        let mask = object.mask.as_ref().expect("a mask");
        assert!(mask.left >= b.xmin as usize && mask.left + mask.width <= b.xmax.ceil() as usize);
        assert!(mask.alpha.iter().any(|&alpha| alpha > 200), "the mask is empty");
    }
}

#[test]
fn odd_pictures_and_questions_are_answered() {
    let mut model = load();
    let dot = Rgb8::new(1, 1, vec![200, 30, 30]).expect("a picture");
    let blank = Rgb8::new(300, 2, vec![255; 1800]).expect("a picture");
    let unknown = vec!["flugelhorn".to_owned(), "Ångström".to_owned()];
    for picture in [&dot, &blank] {
        for task in [
            Task::Caption { language: "en".into() },
            Task::Ocr,
            Task::Ask { language: "en".into(), question: String::from("?").into() },
            Task::Detect { labels: unknown.clone() },
            Task::Segment { labels: unknown.clone() },
        ] {
            let options = GenerateOptions { max_new_tokens: Some(64), ..GenerateOptions::default() };
            for object in run_task(&mut model, picture, &task, &options).objects() {
                assert!(object.bounds.xmax <= picture.width() as f32 && object.bounds.ymax <= picture.height() as f32);
            }
        }
    }
    // More than its 512 positions hold.
    let long = "what ".repeat(700);
    let task = Task::Ask { language: "en".into(), question: long.into() };
    let asked = block_on(model.run_task(&[dot], &task, &GenerateOptions::default(), &Call::default(), &mut |_| ()));
    let error = asked.expect_err("it is refused");
    assert_eq!(error.code(), "OCELLI_BAD_ARGUMENT", "{error}");
    assert!(error.to_string().contains("512"), "{error}");
}
