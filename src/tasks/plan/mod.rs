//! What a model costs, told before there is a device for it, or even weights.

mod devices;
mod error;
mod points;
mod subject;

use serde::{Serialize, Serializer};

use self::devices::devices;
use self::error::PlanError;
use self::subject::{Passes, Subject};
use crate::base::Result;
use crate::format::ModelFiles;
use crate::models::Pass;
use crate::session::{activation_bytes, reserved_cache_bytes};
use crate::tensor::Dtype;

pub use self::points::{Fitted, Optimum, fit_points};
pub use crate::models::shape_law::{SCALING_EXPONENTS, VitShape};

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlanOptions {
    /// How matrices are kept; `None` is as a pack keeps them, and q8 where there is none.
    pub dtype: Option<Dtype>,
    /// Tokens of text in the prompt, after the picture.
    pub prompt_tokens: usize,
    /// 10^12 floating-point operations a second, as the device does them.
    pub tflops: Option<f64>,
    /// 10^9 bytes a second, as the device reads its memory.
    pub bandwidth_gbs: Option<f64>,
    /// 10^9 bytes a second, as weights come to a device that does not hold them; `None` is as fast as its memory.
    pub stream_gbs: Option<f64>,
    /// Bytes of memory of each device.
    pub device_bytes: Option<u64>,
}

/// What a model costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Costs {
    /// Weights in all.
    pub parameters: u64,
    /// Bytes on a device: each part's weights, then `kv` and `activations`; `None` where there is no such thing.
    #[serde(serialize_with = "in_order")]
    pub bytes: Vec<(&'static str, Option<u64>)>,
    /// Floating-point operations, a multiply-add being two.
    pub flop: ByPass<u64>,
    /// Seconds.
    pub seconds: Seconds,
    /// The fewest devices that hold it by whole layers, each its activations beside them.
    pub devices: Option<usize>,
}

/// A figure for each pass that answers are made of; `None` where there is no such pass, or the figure is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ByPass<T> {
    /// One picture through the image encoder.
    pub image: Option<T>,
    /// Picture and prompt through the decoder.
    pub prefill: Option<T>,
    /// One more token.
    pub token: Option<T>,
}

impl<T> ByPass<T> {
    /// Other figures, each of one of these.
    pub fn map<U>(self, figure: impl Fn(T) -> U) -> ByPass<U> {
        ByPass { image: self.image.map(&figure), prefill: self.prefill.map(&figure), token: self.token.map(&figure) }
    }
}

/// How long passes take at least: what they compute or what they read, the slower of those that the machine is told of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Seconds {
    /// With all weights on the device.
    pub resident: ByPass<f64>,
    /// With weights that come while the device works on those before.
    pub streamed: ByPass<f64>,
}

/// What a vision transformer of a shape costs.
///
/// # Errors
/// A shape that no graph can be built of.
pub fn plan_shape(shape: &VitShape, options: &PlanOptions) -> Result<Costs> {
    costs(&Subject::of_shape(shape, options.dtype)?, options)
}

/// What a checkpoint or a pack costs, by its own declarations.
///
/// # Errors
/// Missing or damaged files, an architecture that is not supported, a prompt that it was not made for.
pub fn plan_model(files: &dyn ModelFiles, options: &PlanOptions) -> Result<Costs> {
    costs(&Subject::of_files(files, options.dtype)?, options)
}

fn costs(subject: &Subject<'_>, options: &PlanOptions) -> Result<Costs> {
    let architecture = subject.architecture();
    let picture = architecture.image().map_or(0, |image| image.tokens);
    let tokens = picture.saturating_add(options.prompt_tokens);
    if let Some(decoder) = architecture.decoder()
        && tokens > decoder.max_positions
    {
        let most = decoder.max_positions.saturating_sub(picture);
        return Err(PlanError::Prompt { found: options.prompt_tokens, most }.into());
    }
    let passes = subject.passes(tokens, picture);
    let kv = architecture.decoder().map(|_| reserved_cache_bytes(architecture, tokens)).transpose()?;
    let all: Vec<Pass> = passes.all().chain(subject.parts().map(|part| part.pass.clone())).collect();
    let activations = activation_bytes(architecture, subject.dtype(), &all)?;

    let (flop, read) = work(subject, &passes, kv)?;
    let weights = subject.weights().iter().map(|part| (part.name, Some(part.bytes.iter().sum())));
    Ok(Costs {
        parameters: subject.weights().iter().map(|part| part.parameters).sum(),
        bytes: weights.chain([("kv", kv), ("activations", Some(activations))]).collect(),
        flop,
        seconds: Seconds::of(flop, read, options),
        devices: options.device_bytes.and_then(|device| devices(subject.weights(), kv, activations, device)),
    })
}

/// Operations of each pass, and bytes that it reads: its weights, and for a token the cache.
fn work(subject: &Subject<'_>, passes: &Passes, kv: Option<u64>) -> Result<(ByPass<u64>, ByPass<u64>)> {
    let (mut flop, mut read) = (ByPass::default(), ByPass::default());
    let each = [
        (&passes.image, &mut flop.image, &mut read.image, None),
        (&passes.prefill, &mut flop.prefill, &mut read.prefill, None),
        (&passes.token, &mut flop.token, &mut read.token, kv),
    ];
    for (pass, flop, read, kv) in each {
        if let Some(pass) = pass {
            let graph = subject.architecture().build(pass)?;
            let weights: u64 = graph.weights().iter().map(|spec| subject.bytes(spec)).sum();
            (*flop, *read) = (Some(graph.flop()), Some(weights.saturating_add(kv.unwrap_or(0))));
        }
    }
    Ok((flop, read))
}

impl Seconds {
    fn of(flop: ByPass<u64>, read: ByPass<u64>, options: &PlanOptions) -> Self {
        let bound = |gbs: [Option<f64>; 2]| {
            let longest = |flop: Option<u64>, bytes: Option<u64>| {
                let computing = flop.zip(options.tflops).map(|(flop, tflops)| flop as f64 / (tflops * 1e12));
                let reading = gbs.map(|gbs| bytes.zip(gbs).map(|(bytes, gbs)| bytes as f64 / (gbs * 1e9)));
                [computing].into_iter().chain(reading).flatten().reduce(f64::max)
            };
            ByPass {
                image: longest(flop.image, read.image),
                prefill: longest(flop.prefill, read.prefill),
                token: longest(flop.token, read.token),
            }
        };
        let PlanOptions { bandwidth_gbs: memory, stream_gbs: stream, .. } = *options;
        let streamed = if memory.or(stream).is_some() { bound([memory, stream]) } else { ByPass::default() };
        Self { resident: bound([memory, None]), streamed }
    }
}

fn in_order<S: Serializer>(bytes: &[(&'static str, Option<u64>)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(bytes.iter().copied())
}
