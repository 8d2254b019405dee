//! The arguments of every command but the tasks.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ocelli::tasks::{GenerateOptions, Preset};

use super::device_args::{DeviceArgs, DtypeArg, ModelArgs, mebibytes, positive};
use super::task_args::TaskCommand;

/// Vision-language models on WebGPU and on the CPU.
#[derive(Debug, Parser)]
#[command(version, about, long_about = None, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    #[command(flatten)]
    Task(TaskCommand),
    /// Make vectors of pictures and texts that can be compared.
    Embed(EmbedArgs),
    /// Embed the pictures of a folder into an index that can be searched; what has not changed is left as it is.
    Index(IndexArgs),
    /// Find pictures of an index by words, or by a picture.
    Search(SearchArgs),
    /// Answer a prompt as it is about one or several pictures.
    Run(RunArgs),
    /// Say what a model is, what it holds and how much memory it needs.
    Inspect(InspectArgs),
    /// Say what a model, or a vision transformer of some shape, would cost: parameters, memory, operations, time.
    Plan(PlanArgs),
    /// Write a checkpoint as a pack: quantised, in shards that can be served and checked.
    Convert(ConvertArgs),
    /// Check every file of a pack against its checksums.
    Verify(VerifyArgs),
    /// List the adapters of this machine and what `--device auto` would take.
    Devices(DevicesArgs),
    /// Measure the speed of every player and dtype on a model of random weights.
    Bench(BenchArgs),
    /// Write the model that `bench` runs, or one of full size.
    #[command(hide = true)]
    MakeBenchModel(MakeModelArgs),
    /// Load a model and say what it takes.
    #[command(hide = true)]
    Weigh(WeighArgs),
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// A pack, or a Hugging Face directory: config.json, model.safetensors, tokenizer.json, ...
    pub model: PathBuf,
    /// A picture: PNG, JPEG, WebP, GIF (first frame) or BMP. May be given several times.
    #[arg(long, value_name = "FILE", required = true)]
    pub image: Vec<PathBuf>,
    /// What to ask, such as `caption en` or `answer en what is on the table`.
    #[arg(long, value_name = "TEXT")]
    pub prompt: String,
    /// How weights of a Hugging Face directory are kept on the device [default: q8]; a pack keeps its own.
    #[arg(long, value_enum)]
    pub dtype: Option<DtypeArg>,
    #[command(flatten)]
    pub device: DeviceArgs,
    #[command(flatten)]
    pub generate: GenerateOptions,
    /// Write the f32 logits at the last position of the prompt as a NumPy file.
    #[arg(long, value_name = "FILE.npy")]
    pub logits: Option<PathBuf>,
    /// Print one JSON object on one line instead of streaming text.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct EmbedArgs {
    /// Pictures: PNG, JPEG, WebP, GIF (first frame) or BMP.
    #[arg(value_name = "PICTURE", required_unless_present = "text")]
    pub image: Vec<PathBuf>,
    /// A text. May be given several times.
    #[arg(long, value_name = "TEXT")]
    pub text: Vec<String>,
    /// Write the vectors as the model leaves them, pictures first, as a NumPy file `[n, d]`.
    #[arg(long, value_name = "FILE.npy")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub model: ModelArgs,
}

#[derive(Debug, Args)]
pub struct IndexArgs {
    /// The folder; those below it are looked through, too.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// The index to write, or to bring up to date.
    #[arg(long, value_name = "INDEX")]
    pub out: PathBuf,
    /// Also tell which pictures are alike: those whose cosine is at least this.
    #[arg(long, value_name = "COSINE", num_args = 0..=1, default_missing_value = "0.98")]
    pub doubles: Option<f32>,
    #[command(flatten)]
    pub model: ModelArgs,
}

#[derive(Debug, Args)]
pub struct SearchArgs {
    /// An index that `ocelli index` wrote.
    pub index: PathBuf,
    /// What to look for, in words.
    #[arg(long, value_name = "TEXT", required_unless_present = "image", conflicts_with = "image")]
    pub text: Option<String>,
    /// What to look for, as a picture.
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,
    /// Tell the best so many.
    #[arg(long, value_name = "K", default_value_t = 10)]
    pub top_k: usize,
    /// Tell only those whose cosine is at least this.
    #[arg(long, value_name = "COSINE", default_value_t = -1.0, allow_negative_numbers = true)]
    pub least: f32,
    #[command(flatten)]
    pub model: ModelArgs,
}

#[derive(Debug, Args)]
pub struct InspectArgs {
    /// A pack, or a Hugging Face directory.
    pub model: PathBuf,
    /// Print one JSON object on one line.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct PlanArgs {
    /// `WIDTHxDEPTHxMLP[/PATCH][@PIXELS]`, a name or a point of SoViT's ray instead of the first three, or a model's folder.
    ///
    /// Patch 16 and 224 pixels where none are given. Heads are a multiple of 4 wide, the nearest to 72 that divides the
    /// width. Names: ti, s, b, l, so150m, so400m, g-opt. Points of the ray: sovit-0 to sovit-2, where 1 is so400m.
    #[arg(value_name = "SHAPE|DIR", required_unless_present = "fit")]
    pub target: Option<PathBuf>,
    /// Leave out the head that pools by attention, which a shape has otherwise.
    #[arg(long)]
    pub no_pooling: bool,
    /// How weights are kept on the device [default: q8]; for a pack as it keeps them.
    #[arg(long, value_enum)]
    pub dtype: Option<DtypeArg>,
    /// Tokens of text in the prompt, beside the picture.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    pub prompt_tokens: u32,
    /// 10^12 floating-point operations a second that the device does: how long passes take at least is told.
    #[arg(long, value_name = "N", value_parser = positive)]
    pub tflops: Option<f64>,
    /// GB a second that the device reads of its memory.
    #[arg(long, value_name = "N", value_parser = positive)]
    pub bandwidth_gbs: Option<f64>,
    /// GB a second at which weights come to a device that does not hold them [default: as its memory].
    #[arg(long, value_name = "N", value_parser = positive)]
    pub stream_gbs: Option<f64>,
    /// MiB of memory of each device: how many hold the model by whole layers is told.
    #[arg(long, value_name = "N", value_parser = mebibytes)]
    pub device_mib: Option<usize>,
    /// Fit the shape law f = alpha x^-a + (beta x^b + xi) t^-c + epsilon to points instead: columns x,t,f with a header.
    #[arg(long, value_name = "POINTS.csv",
          conflicts_with_all = ["target", "no_pooling", "dtype", "tflops", "bandwidth_gbs", "stream_gbs", "device_mib"])]
    pub fit: Option<PathBuf>,
    /// Print one JSON object on one line.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// A Hugging Face directory, or big_vision's weights: an .npz file, or a folder with one.
    pub source: PathBuf,
    /// The folder to write; a conversion that was interrupted goes on.
    pub folder: PathBuf,
    /// How weight matrices are stored.
    #[arg(long, value_enum, default_value_t = DtypeArg::Q8)]
    pub dtype: DtypeArg,
    /// Most MiB of a shard.
    #[arg(long, value_name = "N", default_value = "16", value_parser = mebibytes)]
    pub shard_mib: usize,
    /// Matrices to keep as f16, such as `projector` or `vision.*`. May be given several times.
    #[arg(long, value_name = "PATTERN")]
    pub keep_f16: Vec<String>,
    /// The tokenizer, where no tokenizer.json lies beside the weights.
    #[arg(long, value_name = "FILE")]
    pub tokenizer: Option<PathBuf>,
    /// What big_vision's weights do not tell, where they are of no published sizes and have no config.json beside them.
    #[arg(long, value_enum)]
    pub preset: Option<PresetArg>,
    /// Print one JSON object on one line.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The folder of a pack.
    pub pack: PathBuf,
    /// Print one JSON object on one line.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct DevicesArgs {
    /// Print one JSON object on one line.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Players by part of their name: `cpu`, or adapters. All when not given.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub players: Vec<String>,
    /// Dtypes to run.
    #[arg(long, value_enum, value_name = "DTYPES", value_delimiter = ',',
          default_values_t = [DtypeArg::F32, DtypeArg::F16, DtypeArg::Q8, DtypeArg::Q4])]
    pub dtypes: Vec<DtypeArg>,
    /// Measured runs after one to warm up; the table shows medians.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repeat: u32,
    /// Where the model of random weights is or shall be written.
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Run a model as large as PaliGemma 3B: 5.8 GB to write and read.
    #[arg(long)]
    pub full_size: bool,
    /// Print one JSON object on one line instead of a table.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct MakeModelArgs {
    /// Where to write it.
    pub directory: PathBuf,
    /// As large as PaliGemma 3B: 5.8 GB.
    #[arg(long)]
    pub full_size: bool,
}

#[derive(Debug, Args)]
pub struct WeighArgs {
    /// A pack.
    pub pack: PathBuf,
    #[command(flatten)]
    pub device: DeviceArgs,
    /// A picture to ask about, once the model is loaded.
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PresetArg {
    /// Gemma 1.
    #[value(name = "paligemma")]
    PaliGemma,
    /// Gemma 2: scores capped at 50, logits at 30.
    #[value(name = "paligemma2")]
    PaliGemma2,
    /// Gemma 2 whose queries are scaled by model width over heads.
    #[value(name = "paligemma2-28b")]
    PaliGemma2Of28B,
}

impl PresetArg {
    pub fn preset(self) -> Preset {
        match self {
            Self::PaliGemma => Preset::PaliGemma,
            Self::PaliGemma2 => Preset::PaliGemma2,
            Self::PaliGemma2Of28B => Preset::PaliGemma2Of28B,
        }
    }
}
