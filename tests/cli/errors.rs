//! What goes wrong at the edge: a code, a sentence and a remedy, on one line with `--json`.

use std::fs;

use super::program::{below_tests, ocelli, scratch};

const PICTURE: &str = "pictures/cat.png";

/// A run of a checkpoint with `--json` and more arguments.
fn run(checkpoint: &str, picture: &str, more: &[&str]) -> super::program::Said {
    let mut arguments = vec!["run", checkpoint, "--image", picture, "--prompt", "caption en", "--json"];
    arguments.extend(more);
    ocelli(&arguments)
}

fn model() -> String {
    below_tests("goldens/pg1-hd16")
}

#[test]
fn remedies_name_flags() {
    for (flags, remedy) in [
        (["--top-k", "65"].as_slice(), "Set --top-k to 0 to 64."),
        (&["--max-new-tokens", "0"], "Set --max-new-tokens to at least 1."),
        (&["--device", "cpu", "--adapter", "llvmpipe"], "Leave --adapter out, or choose --device gpu."),
    ] {
        assert_eq!(run(&model(), &below_tests(PICTURE), flags).failed(2, "OCELLI_BAD_ARGUMENT", ""), remedy);
    }
}

#[test]
fn a_missing_model_is_named() {
    run("/nowhere/at-all", &below_tests(PICTURE), &[]).failed(1, "OCELLI_NOT_FOUND", "/nowhere/at-all");
}

#[test]
fn a_missing_model_file_is_named() {
    let directory = scratch("without-weights");
    // What an earlier run left would be found.
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).expect("the folder can be made");
    let copy =
        |name: &str| fs::copy(format!("{}/{name}", model()), directory.join(name)).expect("the file can be copied");
    run(&directory.display().to_string(), &below_tests(PICTURE), &[]).failed(1, "OCELLI_NOT_FOUND", "config.json");
    copy("config.json");
    copy("tokenizer.json");
    run(&directory.display().to_string(), &below_tests(PICTURE), &[]).failed(
        1,
        "OCELLI_NOT_FOUND",
        "model.safetensors",
    );
    copy("model.safetensors");
    fs::remove_file(directory.join("tokenizer.json")).expect("the file can be removed");
    run(&directory.display().to_string(), &below_tests(PICTURE), &[]).failed(
        1,
        "OCELLI_BAD_TOKENIZER",
        "tokenizer.json",
    );
    // Of SentencePiece's file it can be made: that it is there is told.
    fs::write(directory.join("spiece.model"), b"").expect("the file can be written");
    run(&directory.display().to_string(), &below_tests(PICTURE), &[]).failed(1, "OCELLI_BAD_TOKENIZER", "spiece.model");
}

#[test]
fn a_missing_picture_is_named() {
    run(&model(), "/nowhere/cat.png", &[]).failed(1, "OCELLI_NOT_FOUND", "/nowhere/cat.png");
}

#[test]
fn a_picture_that_is_none_is_named() {
    let text = below_tests("pictures/README.md");
    run(&model(), &text, &[]).failed(1, "OCELLI_BAD_IMAGE", "README.md");
    let empty = scratch("empty.png");
    fs::write(&empty, b"").expect("the file can be written");
    run(&model(), &empty.display().to_string(), &[]).failed(1, "OCELLI_BAD_IMAGE", "empty.png");
}

#[test]
fn an_unknown_adapter_lists_the_known() {
    run(&model(), &below_tests(PICTURE), &["--adapter", "abacus"]).failed(1, "OCELLI_NO_DEVICE", "abacus");
    run(&model(), &below_tests(PICTURE), &["--adapter", "abacus"]).failed(1, "OCELLI_NO_DEVICE", "llvmpipe");
}

#[test]
fn an_adapter_for_the_cpu_is_a_contradiction() {
    let more = ["--device", "cpu", "--adapter", "llvmpipe"];
    run(&model(), &below_tests(PICTURE), &more).failed(2, "OCELLI_BAD_ARGUMENT", "llvmpipe");
}

#[test]
fn options_out_of_range_are_named() {
    for (option, value, names) in [
        ("--beams", "0", "beams"),
        ("--top-p", "0", "top_p"),
        ("--top-k", "1000000", "top_k"),
        ("--temperature=-1", "", "temperature"),
        ("--max-new-tokens", "0", "max_new_tokens"),
        ("--dtype", "f64", "--dtype"),
        ("--device", "tpu", "--device"),
        ("--max-binding-mib", "0", "--max-binding-mib"),
        ("--max-binding-mib", "much", "--max-binding-mib"),
        ("--no-such-option", "1", "--no-such-option"),
    ] {
        let more: Vec<&str> = [option, value].into_iter().filter(|part| !part.is_empty()).collect();
        run(&model(), &below_tests(PICTURE), &more).failed(2, "OCELLI_BAD_ARGUMENT", names);
    }
}

#[test]
fn a_binding_limit_below_a_row_says_how_much_is_needed() {
    let more = ["--device", "cpu", "--max-binding-mib", "0.0001"];
    let remedy = run(&model(), &below_tests(PICTURE), &more).failed(1, "OCELLI_DEVICE_LIMIT", "bytes");
    assert_eq!(remedy, "Use a smaller --dtype, a larger --max-binding-mib, or --device cpu.");
}

#[test]
fn logits_that_cannot_be_written_are_an_error() {
    let more = ["--device", "cpu", "--logits", "/nowhere/logits.npy"];
    run(&model(), &below_tests(PICTURE), &more).failed(1, "OCELLI_IO", "/nowhere/logits.npy");
}

#[test]
fn without_json_sentences_go_to_standard_error() {
    let said = ocelli(&["run", "/nowhere/at-all", "--image", &below_tests(PICTURE), "--prompt", "caption en"]);
    assert_eq!(said.status, Some(1));
    assert_eq!(said.out, "");
    assert!(said.err.contains("/nowhere/at-all") && said.err.contains("OCELLI_NOT_FOUND"), "{}", said.err);
}

#[test]
fn a_prompt_is_needed() {
    ocelli(&["run", &model(), "--image", &below_tests(PICTURE), "--json"]).failed(2, "OCELLI_BAD_ARGUMENT", "--prompt");
}
