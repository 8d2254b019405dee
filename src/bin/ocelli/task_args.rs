//! The tasks as subcommands: what each takes, and the task that it stands for.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use ocelli::tasks::{GenerateOptions, Task};

use super::device_args::{DeviceArgs, DtypeArg};

#[derive(Debug, Subcommand)]
pub enum TaskCommand {
    /// Say in a short sentence what a picture shows.
    Caption(CaptionArgs),
    /// Describe a picture at length.
    Describe(CaptionArgs),
    /// Answer a question about a picture.
    Ask(AskArgs),
    /// Read the text in a picture.
    Ocr(OcrArgs),
    /// Find things in a picture by their names, with a box around each.
    Detect(FindArgs),
    /// Find things in a picture by their names, with a box and a mask of each.
    Segment(FindArgs),
}

impl TaskCommand {
    pub fn task(&self) -> Task {
        match self {
            Self::Caption(args) => Task::Caption { language: args.language.clone() },
            Self::Describe(args) => Task::Describe { language: args.language.clone() },
            Self::Ask(args) => Task::Ask { language: args.language.clone(), question: args.question.join(" ") },
            Self::Ocr(_) => Task::Ocr,
            Self::Detect(args) => Task::Detect { labels: args.labels.clone() },
            Self::Segment(args) => Task::Segment { labels: args.labels.clone() },
        }
    }

    /// What every task takes.
    pub fn common(&self) -> &TaskArgs {
        match self {
            Self::Caption(args) | Self::Describe(args) => &args.common,
            Self::Ask(args) => &args.common,
            Self::Ocr(args) => &args.common,
            Self::Detect(args) | Self::Segment(args) => &args.common,
        }
    }

    /// What those that find things take.
    pub fn finding(&self) -> Option<&FindArgs> {
        match self {
            Self::Detect(args) | Self::Segment(args) => Some(args),
            _ => None,
        }
    }
}

#[derive(Debug, Args)]
pub struct CaptionArgs {
    #[command(flatten)]
    common: TaskArgs,
    /// The language of the answer, where the model speaks it.
    #[arg(long, value_name = "CODE", default_value = "en")]
    language: String,
}

#[derive(Debug, Args)]
pub struct AskArgs {
    #[command(flatten)]
    common: TaskArgs,
    /// The question; several words need no quotes.
    #[arg(required = true)]
    question: Vec<String>,
    /// The language of the answer, where the model speaks it.
    #[arg(long, value_name = "CODE", default_value = "en")]
    language: String,
}

#[derive(Debug, Args)]
pub struct OcrArgs {
    #[command(flatten)]
    common: TaskArgs,
}

#[derive(Debug, Args)]
pub struct FindArgs {
    #[command(flatten)]
    common: TaskArgs,
    /// What to look for, one name an argument.
    #[arg(value_name = "LABEL", required = true)]
    labels: Vec<String>,
    /// Draw what was found over the picture and write it as a PNG.
    #[arg(long, value_name = "FILE.png")]
    pub out: Option<PathBuf>,
    /// Let the model end a box or a mask as it likes, and begin with none; beams always do.
    #[arg(long)]
    pub unconstrained: bool,
}

/// What every task takes.
#[derive(Debug, Args)]
pub struct TaskArgs {
    /// A picture: PNG, JPEG, WebP, GIF (first frame) or BMP.
    pub image: PathBuf,
    /// A pack or a Hugging Face directory, instead of the small model that is built in.
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// How weights of a Hugging Face directory are kept on the device [default: q8]; a pack keeps its own.
    #[arg(long, value_enum)]
    pub dtype: Option<DtypeArg>,
    #[command(flatten)]
    pub device: DeviceArgs,
    #[command(flatten)]
    pub generate: GenerateOptions,
    /// Print one JSON object on one line.
    #[arg(long)]
    pub json: bool,
}
