//! Whole models against Hugging Face transformers: the same cases for every player.

mod asking;
mod calls;
mod device;
mod encoders;
mod generation;
mod golden;
mod limits;
mod masks;
mod parity;
pub mod pool;
mod quantised;
#[path = "../common/random.rs"]
mod random;
#[path = "../common/root.rs"]
mod root;
mod taps;
mod tasks;
#[path = "../common/tolerance.rs"]
mod tolerance;

use golden::CHECKPOINTS;
use ocelli::tasks::Dtype;
use pool::Place;

/// A named check of a place to run on.
pub struct ModelCase {
    pub name: String,
    pub run: Box<dyn Fn(Place) -> Result<(), String>>,
}

/// A binding limit that cuts the tables of the golden models into several shards; the KV cache of an ordinary question
/// just fits.
const SMALL_BINDING: usize = 192 << 10;

/// Least cosine between what an f32 encoder makes of an image or text and what the reference makes of it.
const COSINE: f64 = 0.99999;
/// The same with q8 weights.
const Q8_COSINE: f64 = 0.999;

/// Every case.
pub fn cases() -> Vec<ModelCase> {
    let mut all = Vec::new();
    let mut add = |name: String, run: Box<dyn Fn(Place) -> Result<(), String>>| all.push(ModelCase { name, run });
    for checkpoint in CHECKPOINTS {
        add(format!("{checkpoint}: values inside the tower"), Box::new(|on| taps::vision_taps(on, checkpoint)));
        add(format!("{checkpoint}: values inside the decoder"), Box::new(|on| taps::decoder_taps(on, checkpoint)));
        add(format!("{checkpoint}: logits of a forced answer"), Box::new(|on| taps::forced_logits(on, checkpoint)));
        add(format!("{checkpoint}: a forced answer in chunks"), Box::new(|on| taps::forced_in_chunks(on, checkpoint)));
        add(format!("{checkpoint}: answers"), Box::new(|on| parity::answers(on, checkpoint)));
        add(format!("{checkpoint}: f16"), Box::new(|on| parity::half(on, checkpoint)));
        add(format!("{checkpoint}: unfused"), Box::new(|on| parity::unfused(on, checkpoint)));
        add(
            format!("{checkpoint}: one pass equals steps"),
            Box::new(|on| generation::one_pass_equals_steps(on, checkpoint)),
        );
        for dtype in [Dtype::Q8, Dtype::Q4] {
            add(
                format!("{checkpoint}: {dtype} equals dequantised"),
                Box::new(move |on| quantised::equals_dequantised(on, checkpoint, dtype)),
            );
        }
    }
    for dtype in [Dtype::Q8, Dtype::Q4] {
        add(format!("{dtype} against unquantised weights"), Box::new(move |on| quantised::cosines(on, dtype)));
    }
    for names in ["pg1-hd16-names-later-4x", "pg1-hd16-names-5x"] {
        add(format!("{names}: other tensor names"), Box::new(|on| parity::other_names(on, names)));
    }
    for dtype in [Dtype::F32, Dtype::F16, Dtype::Q8] {
        add(format!("masks: {dtype}"), Box::new(move |on| masks::drawn(on, dtype, masks::bound(dtype))));
    }
    add("tasks: equal their prompts".into(), Box::new(tasks::equal_their_prompts));
    add("tasks: keep to the grammar".into(), Box::new(tasks::keep_to_the_grammar));
    add("tasks: keep to the grammar when drawn".into(), Box::new(tasks::keep_to_the_grammar_when_drawn));
    add("tasks: pictures in turn".into(), Box::new(tasks::keep_features_apart));
    add("calls: go on elsewhere".into(), Box::new(calls::go_on));
    add("calls: stand by what was said".into(), Box::new(calls::stand_by_what_was_said));
    add("limits: said before the first weight".into(), Box::new(limits::refused_before_the_first_weight));
    add("masks: a model without their decoder".into(), Box::new(masks::none));
    for dtype in [Dtype::F32, Dtype::F16, Dtype::Q8] {
        for checkpoint in encoders::SQUARE {
            add(format!("{checkpoint}: images: {dtype}"), Box::new(move |on| encoders::images(on, checkpoint, dtype)));
        }
        for checkpoint in encoders::TEXTS {
            add(format!("{checkpoint}: texts: {dtype}"), Box::new(move |on| encoders::texts(on, checkpoint, dtype)));
        }
        add(format!("siglip-naflex: images of any size: {dtype}"), Box::new(move |on| encoders::any_size(on, dtype)));
    }
    add("encoders: what must miss".into(), Box::new(encoders::negatives));
    add("encoders: rows in chunks".into(), Box::new(encoders::in_chunks));
    add("vit-hf: other tensor names".into(), Box::new(encoders::other_names));
    for bytes in [1 << 20, SMALL_BINDING] {
        add(format!("bindings of {bytes} bytes"), Box::new(move |on| parity::small_bindings(on, bytes)));
    }
    for checkpoint in ["pg1-hd16", "pg2-gqa"] {
        add(format!("{checkpoint}: scores in chunks"), Box::new(|on| generation::scores_in_chunks(on, checkpoint)));
        add(format!("{checkpoint}: beams"), Box::new(|on| generation::beams(on, checkpoint)));
        add(format!("{checkpoint}: samples"), Box::new(|on| generation::samples(on, checkpoint)));
        add(format!("{checkpoint}: the cost of a step"), Box::new(|on| generation::decode_costs(on, checkpoint)));
        add(format!("{checkpoint}: the cost of beams"), Box::new(|on| generation::beam_costs(on, checkpoint)));
    }
    all
}

/// Cases that take minutes with the kernels of a real GPU on a software adapter; they test what is done before kernels
/// are chosen.
pub fn large_cases() -> Vec<ModelCase> {
    vec![ModelCase { name: "a picture of 896 pixels in chunks".into(), run: Box::new(taps::large_picture) }]
}

/// Cases that need no player.
#[allow(dead_code, reason = "run once, by one of the two programs")]
pub fn host_cases() -> Vec<ModelCase> {
    let name = "sampling distributions".into();
    let sampling = ModelCase { name, run: Box::new(|_| generation::sampling_distributions()) };
    let prepared = encoders::SQUARE.map(|checkpoint| {
        let name = format!("{checkpoint}: prepared pictures");
        ModelCase { name, run: Box::new(move |_| encoders::prepared(checkpoint)) }
    });
    [sampling].into_iter().chain(prepared).collect()
}
