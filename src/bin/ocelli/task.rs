//! Runs a task, and prints its result by its kind: text, or boxes and masks.

use std::cell::Cell;
use std::path::Path;

use ocelli::base::Result;
use ocelli::session::Player;
use ocelli::tasks::{Bounds, GenerateOptions, Mask, Object, Outcome, Rgb8, prompt};
use serde::Serialize;

use super::device_args::DtypeArg;
use super::error::CliError;
use super::task_args::TaskCommand;
use super::{draw, interrupt, json, memory, run};

#[derive(Serialize)]
struct TextOut<'a> {
    text: &'a str,
}

#[derive(Serialize)]
struct FoundOut<'a> {
    text: &'a str,
    objects: Vec<ObjectOut<'a>>,
}

/// An object with its mask in the form that evaluation tools read.
#[derive(Serialize)]
struct ObjectOut<'a> {
    label: &'a str,
    score: f32,
    #[serde(rename = "box")]
    bounds: Bounds,
    #[serde(skip_serializing_if = "Option::is_none")]
    mask: Option<CocoMask>,
}

#[derive(Serialize)]
struct CocoMask {
    /// Height and width, as COCO has them.
    size: [usize; 2],
    counts: String,
}

pub async fn run(command: &TaskCommand) -> Result<()> {
    let (args, finding) = (command.common(), command.finding());
    // The words that objects are read from are not for people.
    let stream = !args.json && finding.is_none();
    let (picture, outcome) = answer(command, stream).await?;
    match outcome {
        Outcome::Text { answer } if args.json => json::print(&TextOut { text: &answer.generation.text })?,
        Outcome::Text { .. } => json::text("\n")?,
        Outcome::Objects { answer, objects, .. } => {
            if let Some(path) = finding.and_then(|args| args.out.as_ref()) {
                write(path, &picture, &objects)?;
            }
            if args.json {
                let size = [picture.width(), picture.height()];
                let objects = objects.iter().map(|object| object_out(object, size)).collect();
                json::print(&FoundOut { text: &answer.generation.text, objects })?;
            } else {
                json::text(&lines(&objects))?;
            }
        }
    }
    Ok(())
}

/// Loads the model and has it answer, streaming the text if that is wanted.
async fn answer(command: &TaskCommand, stream: bool) -> Result<(Rgb8, Outcome)> {
    let cancel = interrupt::token()?;
    let (args, task) = (command.common(), command.task());
    let constrained = !command.finding().is_some_and(|args| args.unconstrained);
    let options = GenerateOptions { constrained, ..args.generate.clone() };
    options.validate()?;
    prompt(&task)?;
    let picture = run::picture(&args.image)?;
    let player = memory::limit(Player::open(args.device.choice(), &args.device.options()).await?);
    let (mut model, _) =
        run::load(args.model.as_deref(), player, args.dtype.map(DtypeArg::dtype), &cancel, args.json).await?;
    let unwritten: Cell<Option<CliError>> = Cell::new(None);
    let mut emit = |piece: &str| {
        if stream && let Err(fault) = json::text(piece) {
            // Nobody reads on: there is no use in going on.
            unwritten.set(Some(fault));
            cancel.cancel();
        }
    };
    let call = cancel.clone().into();
    let done = model.run_task(std::slice::from_ref(&picture), &task, &options, &call, &mut emit).await;
    match unwritten.take() {
        Some(fault) => Err(fault.into()),
        None => Ok((picture, done?.outcome)),
    }
}

/// A line for each object.
fn lines(objects: &[Object]) -> String {
    let mut text = String::new();
    for Object { label, score, bounds: b, mask, .. } in objects {
        let [xmin, ymin, xmax, ymax] = [b.xmin, b.ymin, b.xmax, b.ymax].map(f32::round);
        let masked = if mask.is_some() { ", with a mask" } else { "" };
        text.push_str(&format!("{label}  {score:.2}  x {xmin} to {xmax}, y {ymin} to {ymax}{masked}\n"));
    }
    if objects.is_empty() {
        text.push_str("nothing found\n");
    }
    text
}

fn write(path: &Path, picture: &Rgb8, objects: &[Object]) -> Result<()> {
    let png = draw::png(picture, objects).map_err(|reason| CliError::writing(path, reason))?;
    std::fs::write(path, png).map_err(|reason| CliError::writing(path, reason))?;
    Ok(())
}

fn object_out(object: &Object, [width, height]: [usize; 2]) -> ObjectOut<'_> {
    let Object { label, score, bounds, mask, .. } = object;
    let coco = |mask: &Mask| CocoMask { size: [height, width], counts: mask.coco_counts([width, height]) };
    ObjectOut { label, score: *score, bounds: *bounds, mask: mask.as_ref().map(coco) }
}
