//! What a task came to: printed for people or as one JSON object, and written to a file.

use std::path::Path;

use ocelli::base::{Result, length, unit};
use ocelli::tasks::{Bounds, LabelScore, Mask, MemoryUse, Object, Outcome, Rgb8, TaskResult};
use serde::Serialize;

use super::error::CliError;
use super::{draw, json, npy};

/// What was done, and how it is to be told.
pub struct Told<'a> {
    /// The pictures, as they were named.
    pub sources: Vec<String>,
    /// Their pixels.
    pub pictures: &'a [Rgb8],
    /// Where to write what comes of it.
    pub out: Option<&'a Path>,
    pub json: bool,
}

#[derive(Serialize)]
struct Line<T: Serialize> {
    #[serde(flatten)]
    outcome: T,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: Vec<String>,
    memory: MemoryUse,
}

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

#[derive(Serialize)]
struct LabelsOut {
    labels: Vec<LabelScore>,
}

#[derive(Serialize)]
struct EmbeddingsOut<'a> {
    embeddings: Vec<EmbeddingOut<'a>>,
}

#[derive(Serialize)]
struct EmbeddingOut<'a> {
    source: &'a str,
    /// Its length before it was made 1.
    norm: f32,
    values: Vec<f32>,
}

#[derive(Serialize)]
struct FeaturesOut {
    shape: [usize; 2],
}

impl Told<'_> {
    /// Prints a result, and writes its file.
    pub fn tell(&self, result: TaskResult) -> Result<()> {
        let TaskResult { outcome, memory } = result;
        match outcome {
            Outcome::Text { answer } => {
                self.print(TextOut { text: &answer.generation.text }, Vec::new(), memory, || "\n".into())
            }
            Outcome::Objects { answer, objects, .. } => {
                let [picture] = self.pictures else { return Ok(()) };
                if let Some(path) = self.out {
                    write(path, picture, &objects)?;
                }
                let size = [picture.width(), picture.height()];
                let told = objects.iter().map(|object| object_out(object, size)).collect();
                let found = FoundOut { text: &answer.generation.text, objects: told };
                self.print(found, Vec::new(), memory, || lines(&objects))
            }
            Outcome::Labels { labels, warnings } => {
                let text = labels.iter().map(|label| format!("{:.3}  {}\n", label.score, label.label)).collect();
                self.print(LabelsOut { labels }, warnings, memory, || text)
            }
            Outcome::Embeddings { count, width, values, warnings } => {
                if let Some(path) = self.out {
                    npy::write(path, &[count, width], &values)?;
                }
                let rows = values.chunks_exact(width.max(1));
                let embeddings = rows.zip(&self.sources).map(|(row, source)| embedding(source, row)).collect();
                let text = || self.sources.iter().map(|source| format!("{source}  {width} values\n")).collect();
                self.print(EmbeddingsOut { embeddings }, warnings, memory, text)
            }
            Outcome::Features { rows, width, values } => {
                if let Some(path) = self.out {
                    npy::write(path, &[rows, width], &values)?;
                }
                let text = || format!("{rows} rows of {width} values\n");
                self.print(FeaturesOut { shape: [rows, width] }, Vec::new(), memory, text)
            }
        }
    }

    fn print<T: Serialize>(
        &self,
        outcome: T,
        warnings: Vec<String>,
        memory: MemoryUse,
        text: impl FnOnce() -> String,
    ) -> Result<()> {
        if self.json {
            return Ok(json::print(&Line { outcome, warnings, memory })?);
        }
        for warning in &warnings {
            eprintln!("warning: {warning}");
        }
        Ok(json::text(&text())?)
    }
}

fn embedding<'a>(source: &'a str, row: &[f32]) -> EmbeddingOut<'a> {
    EmbeddingOut { source, norm: length(row) as f32, values: unit(row) }
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
