//! `ocelli bench`: one picture of 256 tokens, a prompt of 16 and 32 decode steps, per player and dtype.

mod model;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use ocelli::base::Result;
use ocelli::session::{CancelToken, DeviceChoice, DeviceOptions, Player, adapters};
use ocelli::tasks::{Call, Dtype, GenerateOptions, Model, Request, Rgb8};
use serde::Serialize;

use super::args::{BenchArgs, MakeModelArgs};
use super::error::CliError;
use super::{interrupt, json, run};

/// Decode steps of a run; the first token of an answer comes from the prefill.
const STEPS: usize = 32;
/// 14 tokens; `<bos>` and the newline make 16.
const PROMPT: &str = "describe photo";
/// Pixels along one side of the picture: what the tower takes, so that resizing costs nothing.
const SIZE: usize = 224;

#[derive(Serialize)]
struct Report {
    model: Shape,
    repeat: u32,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Shape {
    image_tokens: usize,
    prompt_tokens: usize,
    decode_steps: usize,
}

/// Medians of one player and dtype.
#[derive(Serialize)]
struct Row {
    player: String,
    dtype: &'static str,
    load_ms: f64,
    encode_ms: f64,
    prefill_ms: f64,
    decode_ms_per_token: f64,
    weights_bytes: usize,
}

/// A player to measure.
struct Contender {
    name: String,
    choice: DeviceChoice,
    options: DeviceOptions,
}

/// Writes the model of the bench, or one of PaliGemma 3B's size.
pub fn make_model(args: &MakeModelArgs) -> Result<()> {
    Ok(model::make(&args.directory, shape(args.full_size))?)
}

pub async fn bench(args: &BenchArgs) -> Result<()> {
    let cancel = interrupt::token()?;
    let contenders = contenders(&args.players).await?;
    let shape = shape(args.full_size);
    let directory = args.model.clone().unwrap_or_else(|| default_directory(shape));
    model::make(&directory, shape)?;
    let mut report = Report {
        model: Shape { image_tokens: 256, prompt_tokens: 16, decode_steps: STEPS },
        repeat: args.repeat,
        rows: Vec::new(),
    };
    if !args.json {
        json::text(&heading(args.repeat))?;
    }
    for contender in &contenders {
        for dtype in &args.dtypes {
            let row = measure(contender, dtype.dtype(), &directory, args.repeat, &cancel).await?;
            if !args.json {
                json::text(&line(&row))?;
            }
            report.rows.push(row);
        }
    }
    if args.json {
        json::print(&report)?;
    }
    Ok(())
}

fn shape(full_size: bool) -> &'static model::Shape {
    if full_size { &model::FULL_SIZE } else { &model::BENCH }
}

fn default_directory(shape: &model::Shape) -> PathBuf {
    std::env::temp_dir().join(format!("ocelli-{}-model", shape.name))
}

/// The CPU and every adapter, or those whose name contains one of the wanted.
async fn contenders(wanted: &[String]) -> Result<Vec<Contender>> {
    let mut all = vec![Contender { name: "cpu".into(), choice: DeviceChoice::Cpu, options: DeviceOptions::default() }];
    for adapter in adapters().await {
        // One card may be there by several drivers.
        let name = adapter.label();
        let options = DeviceOptions { adapter: Some(name.clone()), ..DeviceOptions::default() };
        all.push(Contender { name, choice: DeviceChoice::Gpu, options });
    }
    let is_called =
        |contender: &Contender, wanted: &str| contender.name.to_lowercase().contains(&wanted.to_lowercase());
    if let Some(missing) = wanted.iter().find(|wanted| !all.iter().any(|one| is_called(one, wanted))) {
        let found = all.iter().map(|contender| contender.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(CliError::NoPlayer { wanted: missing.clone(), found }.into());
    }
    if !wanted.is_empty() {
        all.retain(|contender| wanted.iter().any(|wanted| is_called(contender, wanted)));
    }
    Ok(all)
}

async fn measure(
    contender: &Contender,
    dtype: Dtype,
    directory: &Path,
    repeat: u32,
    cancel: &CancelToken,
) -> Result<Row> {
    let player = Player::open(contender.choice, &contender.options).await?;
    let (mut model, load_ms) =
        run::load(run::files(Some(directory))?.as_ref(), player, Some(dtype), cancel, false).await?;
    let options = GenerateOptions { max_new_tokens: Some(STEPS + 1), ..GenerateOptions::default() };
    let call = cancel.clone().into();
    let mut samples: [Vec<f64>; 3] = Default::default();
    for n in 0..=repeat {
        let answer = ask(&mut model, &picture(n)?, &options, &call).await?;
        // The first run makes plans and pipelines.
        if n > 0 {
            let t = answer.timings;
            for (samples, ms) in samples.iter_mut().zip([t.encode_ms, t.prefill_ms, t.decode_ms_per_token]) {
                samples.push(ms);
            }
        }
    }
    let [encode_ms, prefill_ms, decode_ms_per_token] = samples.map(median);
    Ok(Row {
        player: contender.name.clone(),
        dtype: dtype.name(),
        load_ms,
        encode_ms,
        prefill_ms,
        decode_ms_per_token,
        weights_bytes: model.memory().weights_bytes,
    })
}

/// One full-length answer; anything else would make the figures wrong.
async fn ask(
    model: &mut Model,
    picture: &Rgb8,
    options: &GenerateOptions,
    call: &Call,
) -> Result<ocelli::tasks::Answer> {
    let pictures = std::slice::from_ref(picture);
    let answer = model.generate(Request { pictures, prompt: PROMPT, options }, call, &mut |_| ()).await?;
    let found = (answer.prompt_tokens.len(), answer.generation.tokens.len());
    if found != (16, STEPS + 1) {
        return Err(CliError::BenchModel { prompt: found.0, answer: found.1 }.into());
    }
    Ok(answer)
}

/// A picture with something in every patch, another for each run: what was seen before is not encoded again.
fn picture(run: u32) -> Result<Rgb8> {
    let pixel = |x: usize, y: usize| [x as u8, y as u8, (x * y / 64) as u8 ^ run as u8];
    let data = (0..SIZE).flat_map(|y| (0..SIZE).flat_map(move |x| pixel(x, y))).collect();
    Ok(Rgb8::new(SIZE, SIZE, data)?)
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    let middle = samples.len() / 2;
    if samples.len() % 2 == 1 { samples[middle] } else { (samples[middle - 1] + samples[middle]) / 2.0 }
}

fn heading(repeat: u32) -> String {
    let mut text = format!("256 + 16 tokens of prompt, {STEPS} decode steps; medians of {repeat} after a warm-up\n");
    let _ = writeln!(
        text,
        "{:<48} {:>5} {:>9} {:>10} {:>11} {:>14} {:>9}",
        "player", "dtype", "load ms", "encode ms", "prefill ms", "decode ms/tok", "MB"
    );
    text
}

fn line(row: &Row) -> String {
    format!(
        "{:<48} {:>5} {:>9.0} {:>10.1} {:>11.1} {:>14.2} {:>9.1}\n",
        row.player.chars().take(48).collect::<String>(),
        row.dtype,
        row.load_ms,
        row.encode_ms,
        row.prefill_ms,
        row.decode_ms_per_token,
        row.weights_bytes as f64 / 1e6,
    )
}
