//! `ocelli inspect`: a model in numbers, without loading it.

use std::fmt::Write;

use ocelli::base::Result;
use ocelli::tasks::{Inspection, TokenizerReport, inspect as look, open};

use super::args::InspectArgs;
use super::json;

pub fn inspect(args: &InspectArgs) -> Result<()> {
    let found = look(&open(&args.model)?)?;
    if args.json {
        json::print(&found)?
    } else {
        json::text(&text(&found))?
    }
    Ok(())
}

fn text(model: &Inspection) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{}, {} weights", model.architecture, model.parameters);
    for section in &model.sections {
        let number = |(name, value): &(&str, serde_json::Value)| format!("{name} {}", plain(value));
        let numbers: Vec<String> = section.numbers.iter().map(number).collect();
        let _ = writeln!(text, "  {:<8} {}", section.name, numbers.join(", "));
    }
    for group in &model.groups {
        let (parts, megabytes) = (group.parts.join(", "), group.bytes as f64 / 1e6);
        let _ = writeln!(text, "  shards of {parts}: {}, {megabytes:.1} MB", group.shards);
    }
    if let Some(t) = &model.tokenizer {
        let TokenizerReport { file, pieces, merges, added, .. } = t;
        let _ = writeln!(text, "  {file}: {pieces} pieces, {merges} merges, {added} added tokens");
    }
    let _ = writeln!(text, "memory on a device, weights by dtype, and each token of prompt and answer");
    for (dtype, need) in &model.memory {
        let _ = writeln!(
            text,
            "  {dtype:<4} {:>10.1} MB + {:.1} kB a token",
            need.weights_bytes as f64 / 1e6,
            need.kv_bytes_per_token as f64 / 1e3
        );
    }
    let _ = writeln!(text, "{} tensors, {:.1} MB", model.tensors.len(), model.bytes as f64 / 1e6);
    for tensor in &model.tensors {
        let _ = writeln!(text, "  {:<6} {:<20} {}", tensor.dtype, format!("{:?}", tensor.shape), tensor.name);
    }
    text
}

/// A value as people read it: no quotes, no `null`.
fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(values) if values.iter().all(serde_json::Value::is_null) => "none".into(),
        other => other.to_string(),
    }
}
