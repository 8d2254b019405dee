//! The tasks: a picture and what is wanted in; text, or boxes and masks, out.

use std::cell::Cell;
use std::path::Path;

use ocelli::base::Result;
use ocelli::session::Player;
use ocelli::tasks::{GenerateOptions, Mask, Object, Performed, Rgb8, Task, prompt, usual_tokens};
use serde::Serialize;

use super::args::{AskArgs, CaptionArgs, DtypeArg, FindArgs, OcrArgs, TaskArgs};
use super::fault::CliFault;
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

#[derive(Serialize)]
struct ObjectOut<'a> {
    label: &'a str,
    score: f32,
    #[serde(rename = "box")]
    bounds: BoxOut,
    #[serde(skip_serializing_if = "Option::is_none")]
    mask: Option<MaskOut>,
}

#[derive(Serialize)]
struct BoxOut {
    xmin: f32,
    ymin: f32,
    xmax: f32,
    ymax: f32,
}

#[derive(Serialize)]
struct MaskOut {
    /// Height and width, as COCO has them.
    size: [usize; 2],
    counts: String,
}

pub async fn caption(args: &CaptionArgs) -> Result<()> {
    tell(&args.task, Task::Caption(&args.language)).await
}

pub async fn describe(args: &CaptionArgs) -> Result<()> {
    tell(&args.task, Task::Describe(&args.language)).await
}

pub async fn ask(args: &AskArgs) -> Result<()> {
    tell(&args.task, Task::Ask(&args.language, &args.question.join(" "))).await
}

pub async fn ocr(args: &OcrArgs) -> Result<()> {
    tell(&args.task, Task::Ocr).await
}

pub async fn detect(args: &FindArgs) -> Result<()> {
    find(args, Task::Detect(&args.labels)).await
}

pub async fn segment(args: &FindArgs) -> Result<()> {
    find(args, Task::Segment(&args.labels)).await
}

/// A task that is answered in words.
async fn tell(args: &TaskArgs, task: Task<'_>) -> Result<()> {
    let (_, done) = perform(args, task, true, !args.json).await?;
    if args.json {
        json::print(&TextOut { text: &done.answer.generation.text })?
    } else {
        json::text("\n")?
    }
    Ok(())
}

/// A task that is answered with objects.
async fn find(args: &FindArgs, task: Task<'_>) -> Result<()> {
    let (picture, done) = perform(&args.task, task, !args.unconstrained, false).await?;
    let size = [picture.width(), picture.height()];
    if let Some(path) = &args.out {
        write(path, &picture, &done.objects)?;
    }
    if args.task.json {
        let objects = done.objects.iter().map(|object| object_out(object, size)).collect();
        json::print(&FoundOut { text: &done.answer.generation.text, objects })?;
        return Ok(());
    }
    let mut text = String::new();
    for Object { label, score, bounds: b, mask, .. } in &done.objects {
        let [xmin, ymin, xmax, ymax] = [b.xmin, b.ymin, b.xmax, b.ymax].map(f32::round);
        let masked = if mask.is_some() { ", with a mask" } else { "" };
        text.push_str(&format!("{label}  {score:.2}  x {xmin} to {xmax}, y {ymin} to {ymax}{masked}\n"));
    }
    if done.objects.is_empty() {
        text.push_str("nothing found\n");
    }
    json::text(&text)?;
    Ok(())
}

/// Loads the model and has it answer, streaming the text if that is wanted.
async fn perform(args: &TaskArgs, task: Task<'_>, constrained: bool, stream: bool) -> Result<(Rgb8, Performed)> {
    let cancel = interrupt::token()?;
    let options = GenerateOptions { constrained, ..args.generate.options(usual_tokens(task)) };
    options.validate()?;
    prompt(task)?;
    let picture = run::picture(&args.image)?;
    let player = memory::limit(Player::open(args.device.choice(), &args.device.options()).await?);
    let (mut model, _) =
        run::load(args.model.as_deref(), player, args.dtype.map(DtypeArg::dtype), &cancel, args.json).await?;
    let unwritten: Cell<Option<CliFault>> = Cell::new(None);
    let mut emit = |piece: &str| {
        if stream && let Err(fault) = json::text(piece) {
            // Nobody reads on: there is no use in going on.
            unwritten.set(Some(fault));
            cancel.cancel();
        }
    };
    let done = model.perform(&picture, task, &options, &cancel.clone().into(), &mut emit).await;
    match unwritten.take() {
        Some(fault) => Err(fault.into()),
        None => Ok((picture, done?)),
    }
}

fn write(path: &Path, picture: &Rgb8, objects: &[Object]) -> Result<()> {
    let png = draw::png(picture, objects).map_err(|reason| CliFault::writing(path, reason))?;
    std::fs::write(path, png).map_err(|reason| CliFault::writing(path, reason))?;
    Ok(())
}

fn object_out(object: &Object, [width, height]: [usize; 2]) -> ObjectOut<'_> {
    let Object { label, score, bounds, mask, .. } = object;
    let mask_out = |mask: &Mask| MaskOut { size: [height, width], counts: mask.coco_counts([width, height]) };
    ObjectOut {
        label,
        score: *score,
        bounds: BoxOut { xmin: bounds.xmin, ymin: bounds.ymin, xmax: bounds.xmax, ymax: bounds.ymax },
        mask: mask.as_ref().map(mask_out),
    }
}
