//! Who may know whom: reads every path of `src` and fails on an edge that the floors forbid.
//!
//! A part imports parts of lower floors, and none of its own floor; a part that needs less says so in `ALLOWED`.
//! Only code counts: comments, strings and test modules are stripped first.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

#[path = "common/root.rs"]
mod root;
#[path = "common/rust_source.rs"]
mod rust_source;

use root::root;
use rust_source::code_of;

/// Each part and all that it may name: `part`, or `part::module` where only one module is meant.
const ALLOWED: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("tensor", &["base"]),
    ("quant", &["base", "tensor"]),
    ("kernels", &["base", "tensor", "quant"]),
    ("ops", &["base", "tensor", "quant", "kernels"]),
    ("graph", &["base", "tensor", "quant", "kernels", "ops"]),
    ("gpu", &["base", "tensor", "kernels", "graph::record"]),
    ("cpu", &["base", "tensor", "quant", "kernels", "graph::record"]),
    ("format", &["base", "tensor", "quant"]),
    ("text", &["base", "tensor", "quant"]),
    ("image", &["base", "tensor", "quant"]),
    ("models", &["base", "tensor", "quant", "ops", "graph", "format", "text", "image"]),
    ("search", &["base"]),
    (
        "session",
        &["base", "tensor", "quant", "kernels", "ops", "graph", "gpu", "cpu", "format", "text", "image", "models"],
    ),
    ("generate", &["base", "text", "models", "session"]),
    (
        "tasks",
        &[
            "base",
            "graph::Storage",
            "graph::WeightSpec",
            "tensor",
            "format",
            "text",
            "image",
            "models",
            "session",
            "generate",
            "search",
        ],
    ),
    ("wasm", &["base", "search", "kernels", "format", "text", "models", "session", "tasks"]),
    ("bin", &["base", "format", "search", "session", "tasks"]),
];

/// Words that only some places may contain: the word, where it may stand, and why nowhere else.
const WORDS: &[(&str, &[&str], &str)] = &[
    ("wgpu", &["src/gpu/"], "only src/gpu knows wgpu"),
    ("std::env", &["src/bin/"], "the library reads no environment variable"),
    (".unwrap()", &[], "a user must get an error, not a panic"),
    (".expect(", &[], "a user must get an error, not a panic"),
    ("panic!(", &[], "a user must get an error, not a panic"),
    ("todo!(", &[], "nothing is left undone"),
    ("unimplemented!(", &[], "nothing is left undone"),
    ("unreachable!(", &[], "a type or an error can say it"),
    // They guard raw loads and stores, and the length of a table that the build writes.
    ("assert!(", &["src/cpu/fast/", "src/kernels/dispatch.rs"], "a user must get an error, not a panic"),
    ("assert_eq!(", &[], "a user must get an error, not a panic"),
    ("assert_ne!(", &[], "a user must get an error, not a panic"),
    ("block_on", &["src/bin/"], "library code is async"),
    ("pollster", &["src/bin/"], "library code is async"),
];

/// Every Rust file below a folder, as paths from the root with forward slashes.
fn rust_files(folder: &str) -> Vec<(String, String)> {
    let mut folders = vec![root().join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder can be read") {
            let path: PathBuf = entry.expect("the entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name =
                    path.strip_prefix(root()).expect("it is below the root").to_string_lossy().replace('\\', "/");
                files.push((name, fs::read_to_string(&path).expect("the file is text")));
            }
        }
    }
    files.sort();
    files
}

/// The part that a file belongs to; `lib` for `src/lib.rs`.
fn part_of(file: &str) -> &str {
    file.trim_start_matches("src/").split(['/', '.']).next().unwrap_or_default()
}

/// Every `part` or `part::module` that code names through `crate::` or, in the binary, `ocelli::`.
fn edges(code: &str, krate: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let start = format!("{krate}::");
    for (at, _) in code.match_indices(&start) {
        let whole_word = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '$');
        if whole_word {
            collect_paths(&code[at + start.len()..], "", 2, &mut found);
        }
    }
    found
}

/// Reads one path or group `{a, b::c}` to the given depth; returns the text behind it.
fn collect_paths<'a>(text: &'a str, prefix: &str, depth: usize, found: &mut BTreeSet<String>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = collect_paths(rest, prefix, depth, found).trim_start();
            match rest.strip_prefix(',') {
                Some(next) if !next.trim_start().starts_with('}') => rest = next,
                Some(next) => return next.trim_start().trim_start_matches('}'),
                None => return rest.strip_prefix('}').unwrap_or(rest),
            }
        }
    }
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '*')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let path = if prefix.is_empty() { name.to_string() } else { format!("{prefix}::{name}") };
    match rest.trim_start().strip_prefix("::") {
        Some(below) if depth > 1 => collect_paths(below, &path, depth - 1, found),
        Some(below) => {
            found.insert(path);
            skip_path(below)
        }
        None => {
            found.insert(path);
            match rest.trim_start().strip_prefix("as ") {
                Some(alias) => alias.trim_start().trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'),
                None => rest,
            }
        }
    }
}

/// The text behind a path whose further parts do not matter.
fn skip_path(text: &str) -> &str {
    collect_paths(text, "", usize::MAX, &mut BTreeSet::new())
}

#[test]
fn no_part_imports_what_its_floor_forbids() {
    let mut faults = Vec::new();
    for (file, text) in rust_files("src") {
        let part = part_of(&file);
        if part == "lib" {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == part) else {
            faults.push(format!("{file}: the part `{part}` has no floor; give it one in tests/layering.rs"));
            continue;
        };
        let krate = if part == "bin" { "ocelli" } else { "crate" };
        for edge in edges(&code_of(&text), krate) {
            let target = edge.split("::").next().unwrap_or_default();
            let known = ALLOWED.iter().any(|(name, _)| *name == target);
            // A lower-case name that is no part is a macro or a test's helper; types live inside parts.
            if known && target != part && !allowed.contains(&target) && !allowed.contains(&edge.as_str()) {
                faults.push(format!("{file}: `{part}` may not know `{edge}`"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Whether code contains a word that is not the end of a longer one: `debug_assert!` is no `assert!`.
fn contains_word(code: &str, word: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| !(word.starts_with(is_word) && code[..at].ends_with(is_word)))
}

/// Whether a file of `src` holds tests alone.
fn is_test(file: &str) -> bool {
    file.contains("/tests/") || file.ends_with("/tests.rs")
}

#[test]
fn words_stay_where_they_belong() {
    let mut faults = Vec::new();
    for (file, text) in rust_files("src").into_iter().filter(|(file, _)| !is_test(file)) {
        let code = code_of(&text);
        for (word, places, why) in WORDS {
            let allowed = places.iter().any(|place| file.starts_with(place));
            if !allowed && contains_word(&code, word) {
                faults.push(format!("{file}: `{word}`: {why}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn tests_ask_one_place_where_they_are() {
    // Whoever asks cargo cannot be carried to another machine.
    let asks = ["CARGO_MANIFEST_DIR", "CARGO_TARGET_TMPDIR", "CARGO_BIN_EXE"].map(|name| format!("env!(\"{name}"));
    let mut files = rust_files("tests");
    files.extend(rust_files("src").into_iter().filter(|(file, _)| is_test(file)));
    files.retain(|(_, text)| asks.iter().any(|ask| text.contains(ask)));
    let found: Vec<&str> = files.iter().map(|(file, _)| file.as_str()).collect();
    assert_eq!(found, ["tests/cli/program.rs", "tests/common/root.rs", "tests/common/scratch.rs"]);
}

#[test]
fn shader_text_is_in_wgsl_files_alone() {
    // Here strings count, since that is where such text would hide.
    for folder in ["src", "shaders"] {
        for (file, text) in rust_files(folder) {
            assert!(!text.contains("@compute"), "{file}: shader text belongs in a .wgsl file");
        }
    }
}

/// Whether a line of code, comments aside, has a word that begins with two dashes.
fn names_a_flag(line: &str) -> bool {
    let begins_word = |at: usize| {
        line[at + 2..].starts_with(|c: char| c.is_ascii_lowercase())
            && !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '-')
    };
    !line.trim_start().starts_with("//") && line.match_indices("--").any(|(at, _)| begins_word(at))
}

#[test]
fn flags_are_named_by_the_command_line_alone() {
    // Here too strings count: a page reads what the library says.
    for (file, text) in rust_files("src").into_iter().filter(|(file, _)| !file.starts_with("src/bin/")) {
        if let Some((at, line)) = text.lines().enumerate().find(|(_, line)| names_a_flag(line)) {
            panic!("{file}:{}: a remedy names its settings as base::Setting: {}", at + 1, line.trim());
        }
    }
    assert!(names_a_flag("    \"try --dtype f32\"") && names_a_flag("\"`--preset`\""));
    assert!(!names_a_flag("// like --dtype") && !names_a_flag("a - -b; \"----x\"; \"two--three\""));
}

#[test]
fn the_reader_sees_every_kind_of_path() {
    let code = "use crate::{base::Error, graph::{record::Read, ir as g, plan}, tensor};
        fn f() { crate::cpu::go(); $crate::text::no(); other_crate::image::no(); } use crate::ops::*;";
    let expected = ["base::Error", "cpu::go", "graph::ir", "graph::plan", "graph::record", "ops::*", "tensor"];
    assert_eq!(edges(code, "crate").into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn the_reader_skips_comments_strings_and_tests() {
    let text = r##"
        //! crate::gpu in a comment
        use crate::base; /* crate::cpu /* nested */ crate::cpu */
        const A: &str = "crate::text \" crate::text"; const B: &str = r#"crate::image " "#; const C: char = '"';
        fn f<'a>(x: &'a str) { crate::tensor::g(x) }
        #[cfg(test)]
        mod tests { use crate::session; fn g() { let x = "}"; crate::session::h() } }
        use crate::quant;
    "##;
    let found = edges(&code_of(text), "crate");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["base", "quant", "tensor::g"]);
}
