//! What crosses to the page, as TypeScript: `web/src/wire.ts` is made of the types here, and a test says where it is not.
//!
//! After a change run the test with `OCELLI_UPDATE_WIRE=1` and read the difference before committing it.

use ts_rs::{Config, TS};

use crate::root::root;

use super::{
    Answer, Bounds, Classify, Finish, GenerateOptions, Generation, LabelScore, Mask, MemoryUse, Object, Outcome, Task,
    TaskResult, Timings,
};

const UPDATE: &str = "OCELLI_UPDATE_WIRE";

/// What the page sends.
fn sent<T: TS>(config: &Config) -> String {
    declaration::<T>(config, "")
}

/// What the page gets, and does not change.
fn got<T: TS>(config: &Config) -> String {
    declaration::<T>(config, "readonly ")
}

/// A type with its comments. Every field has one, and stands on the line after it.
fn declaration<T: TS>(config: &Config, field: &str) -> String {
    let docs = T::docs().unwrap_or_default().replace("/**\n * ", "/** ").replace("\n */\n", " */\n");
    let text = T::decl(config)
        .replace("\n/**\n * ", "\n  /** ")
        .replace("\n */\n", &format!(" */\n  {field}"))
        .replace("\"type\":", "type:")
        .replace('"', "'")
        .replace(", }", ",\n}")
        .replace(" \n", "\n")
        .replace(",\n", ";\n");
    format!("\n{docs}export {}\n", interface(&arrays(&text)))
}

/// A declaration as people write it, where it is of one kind of object.
fn interface(text: &str) -> String {
    match text.strip_suffix(";").and_then(|text| text.strip_prefix("type ")?.split_once(" = {\n")) {
        Some((name, fields)) => format!("interface {name} {{\n{fields}"),
        None => text.to_owned(),
    }
}

/// `readonly T[]` for `Array<T>`: lists are not changed on either side.
fn arrays(text: &str) -> String {
    let mut parts = text.split("Array<");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (of, rest) = part.split_once('>').expect("the array's end");
        out += &format!("readonly {of}[]{rest}");
    }
    out
}

fn wire() -> String {
    let config = &Config::new().with_large_int("number");
    [
        "// What crosses between page and module. Made of the Rust types by src/tasks/tests/wire.rs, which says how.\n"
            .into(),
        sent::<Task>(config),
        sent::<Classify>(config),
        sent::<GenerateOptions>(config),
        got::<TaskResult>(config),
        got::<Outcome>(config),
        got::<Answer>(config),
        got::<Generation>(config),
        got::<Timings>(config),
        got::<MemoryUse>(config),
        got::<Object>(config),
        got::<LabelScore>(config),
        got::<Bounds>(config),
        got::<Mask>(config),
    ]
    .concat()
}

#[test]
fn the_pages_types_are_made_of_these() {
    let path = root().join("web/src/wire.ts");
    let wire = wire();
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, &wire).expect("it can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == wire, "{} is out of date: run the test with {UPDATE}=1", path.display());
}

/// Comments alone cannot drift from the fields, but names can: serde writes them, and another crate makes the types.
#[test]
fn results_are_written_as_their_types_say() {
    let memory = MemoryUse { weights_bytes: 1, kv_bytes: 2, activation_bytes: 3 };
    let generation = Generation {
        text: "a".into(),
        tokens: vec![1],
        logprobs: vec![0.0],
        finish: Finish::Length,
        logits: vec![0.0],
    };
    let answer = Answer { generation, prompt_tokens: vec![2], timings: Timings::default() };
    let mask = Some(Mask { left: 1, top: 2, width: 1, height: 1, alpha: vec![255] });
    let bounds = Bounds { xmin: 1.0, ymin: 2.0, xmax: 2.0, ymax: 3.0 };
    let object = Object { label: "cat".into(), score: 0.5, bounds, codes: None, mask };
    let outcome = Outcome::Objects { answer, objects: vec![object], dropped: 0 };
    let written = serde_json::to_value(TaskResult { outcome, memory }).expect("JSON");
    let wire = wire();
    let mut names = Vec::new();
    names_in(&written, &mut names);
    for name in &names {
        assert!(wire.contains(&format!(" {name}: ")) || wire.contains(&format!(" {name}?: ")), "{name}: {wire}");
    }
    assert!(names.len() > 20, "{names:?}");
}

fn names_in(value: &serde_json::Value, names: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            names.push(name.clone());
            names_in(value, names);
        }),
        serde_json::Value::Array(values) => values.iter().for_each(|value| names_in(value, names)),
        _ => {}
    }
}
