//! `ocelli caption`, `ask`, `ocr`, `detect`, `segment`: prompts with typed results.

use super::program::{Said, below_tests, ocelli, scratch};

fn task(arguments: &[&str]) -> Said {
    let model = below_tests("goldens/pg1-hd16");
    let mut all = arguments.to_vec();
    all.extend(["--model", &model, "--device", "cpu", "--dtype", "f32", "--max-new-tokens", "20", "--json"]);
    if matches!(arguments[0], "detect" | "segment") {
        // Random weights write no objects by themselves.
        all.push("--unconstrained");
    }
    ocelli(&all)
}

fn text_of_prompt(picture: &str, prompt: &str) -> String {
    let model = below_tests("goldens/pg1-hd16");
    let arguments = ["run", &model, "--image", picture, "--prompt", prompt, "--device", "cpu", "--dtype", "f32"];
    let said = ocelli(&[&arguments[..], &["--max-new-tokens", "20", "--json"]].concat()).good();
    said["text"].as_str().expect("a text").to_owned()
}

#[test]
fn tasks_are_the_prompts_that_models_were_trained_on() {
    let picture = below_tests("pictures/cat.png");
    for (arguments, prompt) in [
        (&["caption", &picture][..], "caption en"),
        (&["caption", &picture, "--language", "de"], "caption de"),
        (&["describe", &picture], "describe en"),
        (&["ask", &picture, "what", "is", "it?"], "answer en what is it?"),
        (&["ocr", &picture], "ocr"),
        (&["detect", &picture, "cat", "red car"], "detect cat ; red car"),
        (&["segment", &picture, "cat"], "segment cat"),
    ] {
        let said = task(arguments).good();
        assert_eq!(said["text"], text_of_prompt(&picture, prompt), "{prompt}");
        let finds = matches!(arguments[0], "detect" | "segment");
        assert_eq!(said["objects"].is_array(), finds, "{prompt}: {said}");
        assert_eq!(said.as_object().map(|said| said.len()), Some(2 + usize::from(finds)), "{prompt}: {said}");
    }
}

#[test]
fn a_picture_of_what_was_found_has_the_size_of_the_one_given() {
    let (picture, out) = (below_tests("pictures/rocket-exif6.jpg"), scratch("found.png"));
    task(&["detect", &picture, "rocket", "--out", &out.display().to_string()]).good();
    let size = |path: &std::path::Path| {
        let bytes = std::fs::read(path).expect("the picture can be read");
        let picture = ocelli::tasks::decode_picture(&bytes, "a picture").expect("it is one");
        [picture.width(), picture.height()]
    };
    assert_eq!(size(&out), size(picture.as_ref()));
    task(&["detect", &picture, "rocket", "--out", "/nowhere/found.png"]).failed(1, "OCELLI_IO", "/nowhere/found.png");
}

#[test]
fn what_cannot_be_asked_is_refused_before_anything_is_loaded() {
    let picture = below_tests("pictures/cat.png");
    for (arguments, names) in [
        (&["ask", &picture, " "][..], "question"),
        (&["detect", &picture, ""], "label"),
        (&["detect", &picture, "cat ; dog"], "cat ; dog"),
        (&["segment", &picture, "<loc0000>"], "<loc0000>"),
        (&["caption", &picture, "--language", "e n"], "e n"),
        (&["detect", &picture], "LABEL"),
        (&["ask", &picture, &"x".repeat(10_000)], "10000"),
    ] {
        task(arguments).failed(2, "OCELLI_BAD_ARGUMENT", names);
    }
}

#[test]
fn a_hundred_labels_are_answered_or_refused() {
    let labels: Vec<String> = (0..100).map(|n| format!("thing {n}")).collect();
    let picture = below_tests("pictures/cat.png");
    let mut arguments = vec!["detect", picture.as_str()];
    arguments.extend(labels.iter().map(String::as_str));
    assert!(task(&arguments).good()["objects"].is_array());
}
