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
    let (v, t) = (&model.vision, &model.decoder);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{}, {} weights", model.architecture, model.parameters);
    let _ = writeln!(
        text,
        "  tower    {} wide, {} deep, {} heads, MLP {}, {} px in patches of {}: {} tokens a picture",
        v.width, v.layers, v.heads, v.mlp, v.image_size, v.patch, v.tokens
    );
    let _ = writeln!(
        text,
        "  decoder  {}, {} wide, {} deep, {} heads of {} over {} key heads, MLP {}, vocabulary {}",
        t.family, t.width, t.layers, t.heads, t.head_dim, t.kv_heads, t.mlp, t.vocabulary
    );
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
