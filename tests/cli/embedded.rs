//! The model that is part of the program, on the demo's sample pictures. What it says is its own affair and changes
//! when it is trained again; that it answers, and in which form, does not.

use std::path::Path;

use ocelli::tasks::{Rgb8, decode_picture};
use serde_json::Value;

use crate::root::root;

use super::program::{Said, ocelli, scratch};

fn sample(name: &str) -> String {
    root().join("web/demo/samples").join(name).display().to_string()
}

/// A task of the built-in model.
fn task(arguments: &[&str]) -> Said {
    ocelli(&[arguments, &["--json"]].concat())
}

fn picture(path: &Path) -> Rgb8 {
    let bytes = std::fs::read(path).expect("the picture can be read");
    decode_picture(&bytes, "a picture").expect("it is one")
}

/// Pictures and things in them, in the words of the model's labels.
const THINGS: [(&str, &[&str]); 4] =
    [("street.png", &["car"]), ("pets.png", &["cat", "dog"]), ("fruit.png", &["apple"]), ("harbour.png", &["boat"])];

#[test]
fn captions_and_answers_are_words() {
    let (pets, sign) = (sample("pets.png"), sample("sign.png"));
    for arguments in [&["caption", &pets][..], &["ask", &pets, "how many cats are there?"], &["ocr", &sign]] {
        let said = task(arguments).good();
        let text = said["text"].as_str().expect("a text");
        assert!(!text.trim().is_empty(), "{arguments:?}: {said}");
        assert!(said["memory"]["weights_bytes"].as_u64() > Some(1_000_000), "{arguments:?}: {said}");
        assert_eq!(said.as_object().map(|said| said.len()), Some(2), "{arguments:?}: {said}");
    }
}

#[test]
fn labels_are_scored_as_answers() {
    let pets = sample("pets.png");
    let said = task(&["classify", &pets, "boat", "cat", "house"]).good();
    let labels = said["labels"].as_array().expect("labels");
    let names: Vec<&str> = labels.iter().filter_map(|label| label["label"].as_str()).collect();
    assert_eq!(names[0], "cat", "{said}");
    assert_eq!(names.len(), 3, "{said}");
    let scores: Vec<f64> = labels.iter().filter_map(|label| label["score"].as_f64()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b) && (scores.iter().sum::<f64>() - 1.0).abs() < 1e-5, "{said}");
    let best = task(&["classify", &pets, "boat", "cat", "house", "--top-k", "1"]).good();
    assert_eq!(best["labels"].as_array().map(Vec::len), Some(1), "{best}");
    assert_eq!(best["labels"][0], said["labels"][0]);
}

#[test]
fn what_a_model_cannot_do_is_told_with_what_it_can() {
    let pets = sample("pets.png");
    task(&["classify", &pets]).failed(2, "OCELLI_BAD_ARGUMENT", "no labels");
    task(&["classify", &pets, "cat", " "]).failed(2, "OCELLI_BAD_ARGUMENT", "label 2 is empty");
    task(&["features", &pets]).failed(1, "OCELLI_UNSUPPORTED", "features");
    task(&["embed", "--text", "a cat"]).failed(1, "OCELLI_UNSUPPORTED", "embed");
    task(&["caption", &pets, "--out", "/nowhere/x"]).failed(2, "OCELLI_BAD_ARGUMENT", "/nowhere/x");
}

#[test]
fn what_is_detected_lies_in_the_picture() {
    let mut found = 0;
    for (name, labels) in THINGS {
        let path = sample(name);
        let said = task(&[&["detect", path.as_str()], labels].concat()).good();
        assert!(said["text"].is_string(), "{said}");
        found += objects(&said, &picture(path.as_ref()), labels).len();
    }
    assert!(found > 0, "nothing was found at all");
}

#[test]
fn masks_in_the_json_are_those_that_are_drawn() {
    let mut compared = 0;
    for (name, labels) in THINGS {
        let (path, out) = (sample(name), scratch(format!("masks-of-{name}")));
        let drawn = out.display().to_string();
        let said = task(&[&["segment", path.as_str()], labels, &["--out", &drawn]].concat()).good();
        let (before, after) = (picture(path.as_ref()), picture(&out));
        assert_eq!([after.width(), after.height()], [before.width(), before.height()]);
        compared += compare(name, &objects(&said, &before, labels), &before, &after);
    }
    assert!(compared > 0, "no mask was drawn at all");
}

/// An object of the JSON: its box, and its mask row by row if it has one.
struct Found {
    edges: [f64; 4],
    mask: Option<Vec<bool>>,
}

/// Reads what was found and checks its form.
fn objects(said: &Value, picture: &Rgb8, labels: &[&str]) -> Vec<Found> {
    let size = [picture.width(), picture.height()];
    let read = |object: &Value| {
        let edges = ["xmin", "ymin", "xmax", "ymax"].map(|edge| object["box"][edge].as_f64().expect("a number"));
        let [left, top, right, bottom] = edges;
        assert!(0.0 <= left && left < right && right <= size[0] as f64, "{object}");
        assert!(0.0 <= top && top < bottom && bottom <= size[1] as f64, "{object}");
        assert!(object["score"].as_f64().is_some_and(|score| (0.0..=1.0).contains(&score)), "{object}");
        assert!(object["label"].as_str().is_some_and(|label| !label.is_empty()), "{labels:?}: {object}");
        let mask = object.get("mask").map(|mask| {
            assert_eq!(mask["size"], serde_json::json!([size[1], size[0]]), "{object}");
            pixels(mask["counts"].as_str().expect("a text"), size)
        });
        Found { edges, mask }
    };
    said["objects"].as_array().expect("a list").iter().map(read).collect()
}

/// The pixels of a COCO run-length string, row by row: it runs down the columns, outside first, in groups of 5 bits;
/// from the fourth number on each is the difference from the one two before.
fn pixels(counts: &str, [width, height]: [usize; 2]) -> Vec<bool> {
    let (mut runs, mut number, mut shift): (Vec<i64>, i64, u32) = (Vec::new(), 0, 0);
    for letter in counts.bytes() {
        let bits = i64::from(letter - b'0');
        number |= (bits & 0x1f) << shift;
        shift += 5;
        if bits & 0x20 != 0 {
            continue;
        }
        if bits & 0x10 != 0 {
            number -= 1 << shift;
        }
        let before = if runs.len() > 2 { runs[runs.len() - 2] } else { 0 };
        runs.push(number + before);
        (number, shift) = (0, 0);
    }
    let mut columns = Vec::with_capacity(width * height);
    for (n, &run) in runs.iter().enumerate() {
        columns.extend(std::iter::repeat_n(n % 2 == 1, usize::try_from(run).expect("a length")));
    }
    assert_eq!(columns.len(), width * height, "the runs must cover the picture");
    (0..width * height).map(|at| columns[at % width * height + at / width]).collect()
}

/// Compares masks with a drawing: inside a mask pixels are tinted, and far from every box they are as they were. The
/// number of masks.
fn compare(name: &str, found: &[Found], before: &Rgb8, after: &Rgb8) -> usize {
    let (width, height) = (before.width(), before.height());
    let changed = |at: usize| before.data()[3 * at..3 * at + 3] != after.data()[3 * at..3 * at + 3];
    // Frames are drawn on the edges and names above them.
    let margin = (width.max(height) / 320).max(1) as f64 * 12.0;
    let reach = |edges: &[f64; 4], at: usize| {
        let (x, y) = ((at % width) as f64, (at / width) as f64);
        // A name may be wider than its box.
        y >= edges[1] - margin && y <= edges[3] + 1.0 && x >= edges[0] - 1.0 && x <= edges[2] + 1.0
            || y >= edges[1] - margin && y <= edges[1] + margin
    };
    let untouched = (0..width * height).filter(|&at| found.iter().all(|object| !reach(&object.edges, at)));
    assert_eq!(untouched.filter(|&at| changed(at)).count(), 0, "{name}: pixels changed where nothing was found");
    let mut masks = 0;
    for Found { edges, mask } in found {
        let Some(mask) = mask else { continue };
        let inside: Vec<usize> = (0..width * height).filter(|&at| mask[at]).collect();
        assert!(!inside.is_empty(), "{name}: an empty mask");
        assert!(inside.iter().all(|&at| reach(edges, at)), "{name}: a mask beyond its box");
        // A pixel of the very colour of the tint stays as it is.
        let tinted = inside.iter().filter(|&&at| changed(at)).count();
        assert!(tinted * 100 >= inside.len() * 98, "{name}: {tinted} of {} pixels are tinted", inside.len());
        masks += 1;
    }
    masks
}
