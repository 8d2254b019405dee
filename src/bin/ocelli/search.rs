//! `ocelli index` and `ocelli search`: the pictures of a folder, found by words or by a picture.

use ocelli::base::Result;
use ocelli::search::{Hit, IndexModel};
use ocelli::session::CancelToken;
use ocelli::tasks::{
    Call, GenerateOptions, Indexed, MemoryUse, Model, Outcome, Task, index_folder, index_model, model_checksum,
    open_index,
};
use serde::Serialize;

use super::args::{IndexArgs, SearchArgs};
use super::device_args::ModelArgs;
use super::progress::WorkBar;
use super::{interrupt, json, run};

#[derive(Serialize)]
struct IndexOut<'a> {
    #[serde(flatten)]
    indexed: &'a Indexed,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    doubles: Vec<Vec<String>>,
    memory: MemoryUse,
}

#[derive(Serialize)]
struct SearchOut {
    results: Vec<Hit>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: Vec<String>,
    memory: MemoryUse,
}

pub async fn index(args: &IndexArgs) -> Result<()> {
    let cancel = interrupt::token()?;
    let (mut model, identity) = load(&args.model, &cancel).await?;
    let bar = WorkBar::counting("indexing", args.model.json);
    let mut progress = |done, all| bar.show_count(done, all);
    let done = index_folder(&mut model, identity.clone(), &args.folder, &args.out, &cancel, &mut progress).await;
    bar.finish();
    let done = done?;
    let doubles = match args.doubles {
        Some(least) if done.indexed + done.skipped > 0 => open_index(&args.out, &identity)?.doubles(least),
        _ => Vec::new(),
    };
    if args.model.json {
        return Ok(json::print(&IndexOut { indexed: &done, doubles, memory: model.memory() })?);
    }
    let Indexed { indexed, skipped, removed, failed, seconds } = &done;
    let mut text = format!("{indexed} indexed, {skipped} unchanged, {removed} removed, in {seconds:.1} s\n");
    for failure in failed {
        text.push_str(&format!("not indexed: {}\n", failure.error));
    }
    for group in &doubles {
        text.push_str(&format!("alike: {}\n", group.join(", ")));
    }
    Ok(json::text(&text)?)
}

pub async fn search(args: &SearchArgs) -> Result<()> {
    let cancel = interrupt::token()?;
    let pictures = match &args.image {
        Some(path) => vec![run::picture(path)?],
        None => Vec::new(),
    };
    let (mut model, identity) = load(&args.model, &cancel).await?;
    let index = open_index(&args.index, &identity)?;
    let task = Task::Embed { texts: args.text.iter().cloned().collect() };
    let options = GenerateOptions::default();
    let done = model.run_task(&pictures, &task, &options, &Call::from(cancel), &mut |_| ()).await?;
    let (values, warnings) = match done.outcome {
        Outcome::Embeddings { values, warnings, .. } => (values, warnings),
        _ => (Vec::new(), Vec::new()),
    };
    let results = index.search(&values, args.top_k, args.least);
    if args.model.json {
        return Ok(json::print(&SearchOut { results, warnings, memory: done.memory })?);
    }
    for warning in &warnings {
        eprintln!("warning: {warning}");
    }
    let mut text: String = results.iter().map(|hit| format!("{:.3}  {}\n", hit.score, hit.source)).collect();
    if results.is_empty() {
        text.push_str("nothing is like it\n");
    }
    Ok(json::text(&text)?)
}

/// The model, and how indexes know it.
async fn load(args: &ModelArgs, cancel: &CancelToken) -> Result<(Model, IndexModel)> {
    let files = run::files(args.model.as_deref())?;
    let checksum = model_checksum(files.as_ref())?;
    let model = run::load_told(args, files.as_ref(), cancel).await?;
    let identity = index_model(&model, checksum);
    Ok((model, identity))
}
