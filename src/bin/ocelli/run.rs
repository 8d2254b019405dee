//! `ocelli run`: pictures and a prompt in, an answer out.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Instant;

use ocelli::base::Result;
use ocelli::format::ModelFiles;
use ocelli::session::{CancelToken, Player};
use ocelli::tasks::{
    Answer, Dtype, GenerateOptions, Generation, MemoryUse, Model, ModelOptions, Request, Rgb8, Timings, decode_picture,
    open,
};
use serde::Serialize;

use super::args::RunArgs;
use super::device_args::{DtypeArg, ModelArgs};
use super::embedded::Embedded;
use super::error::CliError;
use super::progress::WorkBar;
use super::{interrupt, json, memory, npy};

#[derive(Serialize)]
struct Output<'a> {
    #[serde(flatten)]
    generation: &'a Generation,
    prompt_tokens: &'a [u32],
    device: &'static str,
    adapter: String,
    timings: LoadedTimings,
    memory: MemoryUse,
}

#[derive(Serialize)]
struct LoadedTimings {
    load_ms: f64,
    #[serde(flatten)]
    answer: Timings,
}

pub async fn run(args: &RunArgs) -> Result<()> {
    let cancel = interrupt::token()?;
    let options = GenerateOptions { keep_logits: args.logits.is_some(), ..args.generate.clone() };
    options.validate()?;
    let pictures = args.image.iter().map(|path| picture(path)).collect::<Result<Vec<_>>>()?;
    let player = memory::limit(Player::open(args.device.choice(), &args.device.options()).await?);
    let (mut model, load_ms) =
        load(files(Some(&args.model))?.as_ref(), player, args.dtype.map(DtypeArg::dtype), &cancel, args.json).await?;

    let request = Request { pictures: &pictures, prompt: &args.prompt, options: &options };
    let unwritten: Cell<Option<CliError>> = Cell::new(None);
    let mut emit = |piece: &str| {
        if args.json {
            return;
        }
        if let Err(fault) = json::text(piece) {
            // Nobody reads on: there is no use in going on.
            unwritten.set(Some(fault));
            cancel.cancel();
        }
    };
    let answer = model.generate(request, &cancel.clone().into(), &mut emit).await;
    if let Some(fault) = unwritten.take() {
        return Err(fault.into());
    }
    let answer = answer?;
    if let Some(path) = &args.logits {
        let logits = &answer.generation.logits;
        npy::write(path, &[logits.len()], logits)?;
    }
    if args.json {
        json::print(&output(&answer, &model, load_ms))?
    } else {
        json::text("\n")?
    }
    Ok(())
}

/// The files of a model: a folder's, or the built-in ones.
pub fn files(folder: Option<&Path>) -> Result<Box<dyn ModelFiles>> {
    Ok(match folder {
        Some(folder) => Box::new(open(folder)?),
        None => Box::new(Embedded::open()?),
    })
}

/// Loads a model as the arguments say.
pub async fn load_told(args: &ModelArgs, files: &dyn ModelFiles, cancel: &CancelToken) -> Result<Model> {
    let player = memory::limit(Player::open(args.device.choice(), &args.device.options()).await?);
    Ok(load(files, player, args.dtype.map(DtypeArg::dtype), cancel, args.json).await?.0)
}

/// Loads a model with a bar unless `quiet`; the model and the milliseconds it took.
pub async fn load(
    files: &dyn ModelFiles,
    player: Player,
    dtype: Option<Dtype>,
    cancel: &CancelToken,
    quiet: bool,
) -> Result<(Model, f64)> {
    let start = now_ms();
    let usual = ModelOptions::default();
    let options = ModelOptions { dtype: dtype.unwrap_or(usual.dtype), ..usual };
    let player = player.with_breath(interrupt::breathe);
    let bar = WorkBar::new("loading", quiet);
    let model = Model::load(files, player, options, now_ms, &mut |progress| {
        bar.show(progress);
        Ok(cancel.check()?)
    })
    .await;
    bar.finish();
    let model = model?;
    if let Some(wanted) = dtype.filter(|&wanted| wanted != model.dtype()) {
        return Err(CliError::PackDtype { wanted, held: model.dtype() }.into());
    }
    Ok((model, now_ms() - start))
}

pub fn picture(path: &Path) -> Result<Rgb8> {
    let bytes = fs::read(path).map_err(|reason| CliError::reading(path, reason))?;
    Ok(decode_picture(&bytes, &path.display().to_string())?)
}

/// Milliseconds since the first call.
fn now_ms() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64() * 1e3
}

fn output<'a>(answer: &'a Answer, model: &Model, load_ms: f64) -> Output<'a> {
    let Answer { generation, prompt_tokens, timings } = answer;
    Output {
        generation,
        prompt_tokens,
        device: model.player().device(),
        adapter: model.player().adapter(),
        timings: LoadedTimings { load_ms, answer: *timings },
        memory: model.memory(),
    }
}
