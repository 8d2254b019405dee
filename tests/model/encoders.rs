//! Encoders that work by themselves, against transformers and timm: taps and outputs, one image or text a pass and
//! several.

use std::fs;

use ocelli::kernels::Step;
use ocelli::models::{self, Architecture, ImagesOutput, ImagesPass, Pass, states};
use ocelli::tensor::Dtype;
use safetensors::SafeTensors;
use serde_json::{Value, json};

use super::asking::{picture, told};
use super::device::Bare;
use super::golden::{close, deviation, folder, same};
use super::pool::Place;
use super::tolerance::logits::{F16, INSIDE};
use super::{COSINE, Q8_COSINE};

/// Checkpoints whose pictures are all of one size.
pub const SQUARE: [&str; 11] = [
    "siglip-1",
    "siglip-vision",
    "siglip-vision-headless",
    "siglip-classifier",
    "vit-timm-map",
    "vit-timm-gap",
    "vit-timm-token",
    "vit-timm-reg",
    "vit-timm-scale",
    "vit-timm-noembed",
    "vit-hf",
];
/// Checkpoints that read texts.
pub const TEXTS: [&str; 3] = ["siglip-1", "siglip-naflex", "siglip-text"];

/// A model of any architecture.
type Encoder = Bare<Box<dyn Architecture>>;

/// What the reference said about a checkpoint.
struct Golden {
    name: String,
    json: Value,
    taps: Vec<u8>,
}

/// Values of a tap, and how many rows of them there are.
struct Tap {
    rows: usize,
    values: Vec<f32>,
}

impl Golden {
    fn read(name: &str) -> Result<Self, String> {
        let read = |file: &str| fs::read(folder("goldens").join(name).join(file)).map_err(|e| format!("{file}: {e}"));
        let json = serde_json::from_slice(&read("golden.json")?).map_err(|error| error.to_string())?;
        Ok(Self { name: name.into(), json, taps: read("golden.safetensors")? })
    }

    fn config(&self) -> Result<Value, String> {
        let path = folder("goldens").join(&self.name).join("config.json");
        let text = fs::read(path).map_err(|error| error.to_string())?;
        serde_json::from_slice(&text).map_err(|error| error.to_string())
    }

    /// A tap, if there is one of this name.
    fn find(&self, name: &str) -> Result<Option<Tap>, String> {
        let taps = SafeTensors::deserialize(&self.taps).map_err(|error| error.to_string())?;
        let Ok(tap) = taps.tensor(name) else { return Ok(None) };
        let width = tap.shape().last().copied().unwrap_or(1);
        let values: Vec<f32> = match tap.dtype() {
            safetensors::Dtype::U8 => tap.data().iter().map(|&byte| f32::from(byte)).collect(),
            _ => bytemuck::pod_collect_to_vec(tap.data()),
        };
        Ok(Some(Tap { rows: values.len() / width.max(1), values }))
    }

    fn tap(&self, name: &str) -> Result<Tap, String> {
        self.find(name)?.ok_or_else(|| format!("{} has no golden {name}", self.name))
    }

    /// The pixels of its pictures, `[n, S, S, 3]`, and n.
    fn pixels(&self) -> Result<(Vec<f32>, usize), String> {
        let count = self.json["pictures"].as_array().map_or(0, Vec::len);
        let planes = self.tap("pixel_values")?.values;
        let each = planes.len() / count.max(1);
        let pixels = planes.chunks_exact(each).flat_map(|image| {
            (0..each / 3).flat_map(move |pixel| (0..3).map(move |colour| image[colour * (each / 3) + pixel]))
        });
        Ok((pixels.collect(), count))
    }

    fn texts(&self) -> Vec<Vec<u32>> {
        let texts = self.json["texts"].as_array().cloned().unwrap_or_default();
        texts.iter().map(|ids| serde_json::from_value(ids.clone()).expect("a list of ids")).collect()
    }

    fn load(&self, place: Place, dtype: Dtype, config: &Value) -> Result<Encoder, String> {
        let architecture = models::open(config).map_err(|error| error.to_string())?;
        Bare::load_as(place, architecture, &folder("goldens").join(&self.name), dtype)
    }
}

/// What a pass leaves in a state, or the value of a node.
fn run(
    model: &mut Encoder,
    pass: &Pass,
    step: &Step,
    input: (&str, &[u8]),
    wanted: &[&str],
) -> Result<Vec<Vec<f32>>, String> {
    let graph = model.architecture.build(pass).map_err(|error| error.to_string())?;
    model.run(graph, step, &[input], wanted)
}

/// Names of values in the graph with those of their taps; some graphs have not all of them.
fn taps(prefix: &str, layers: usize, tap: &str) -> Vec<(String, String)> {
    let mut names = vec![("x".into(), format!("{tap}/embeddings"))];
    names.extend([0, layers - 1].map(|layer| (format!("{prefix}.{layer}.y"), format!("{tap}/layer_{layer}"))));
    names
}

fn layers(architecture: &dyn Architecture, section: &str) -> usize {
    let sections = architecture.report();
    let numbers = sections.iter().filter(|found| found.name == section).flat_map(|found| &found.numbers);
    let layers = numbers.filter(|(name, _)| *name == "layers").find_map(|(_, value)| value.as_u64());
    layers.unwrap_or(1) as usize
}

/// How near f32 must be, or another dtype.
fn near(what: &str, found: &[f32], expected: &[f32], dtype: Dtype, width: usize) -> Result<(), String> {
    match dtype {
        Dtype::F32 => close(what, found, expected, INSIDE)?,
        Dtype::F16 => close(what, found, expected, F16)?,
        Dtype::Q8 | Dtype::Q4 => 0.0,
    };
    let least = if dtype == Dtype::Q8 { Q8_COSINE } else { COSINE };
    for (row, (found, expected)) in found.chunks(width).zip(expected.chunks(width)).enumerate() {
        let cosine = cosine(found, expected);
        if cosine < least {
            return Err(format!("{what}: row {row} has a cosine of {cosine} with the reference's, expected {least}"));
        }
    }
    Ok(())
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// The outputs that there are, by their states and goldens.
const OUTPUTS: [(ImagesOutput, &str, &str); 3] = [
    (ImagesOutput::Features, states::IMAGE_FEATURES, "image/features"),
    (ImagesOutput::Embedding, states::EMBEDDING, "image/pooled"),
    (ImagesOutput::Logits, states::LOGITS, "logits"),
];

/// Pictures of one size: every output, one picture a pass and all in one; taps with f32 weights.
pub fn images(place: Place, checkpoint: &str, dtype: Dtype) -> Result<(), String> {
    let golden = Golden::read(checkpoint)?;
    let mut model = golden.load(place, dtype, &golden.config()?)?;
    let (pixels, all) = golden.pixels()?;
    let side = ((pixels.len() / all / 3) as f64).sqrt() as usize;
    let layers = layers(model.architecture.as_ref(), "image");
    for (output, state, tap) in OUTPUTS {
        let Some(expected) = golden.find(tap)? else { continue };
        for count in [1, all] {
            let step = Step::all(count, golden.tap("image/features")?.rows / all).map_err(|error| error.to_string())?;
            for (n, images) in pixels.chunks(side * side * 3 * count).enumerate() {
                let pass = Pass::Images(ImagesPass { count, size: [side; 2], output });
                let input = (states::IMAGE, bytemuck::cast_slice(images));
                let what = format!("{tap} {n} of {count}");
                let part = |values: &[f32]| {
                    let each = values.len() / all * count;
                    values[n * each..(n + 1) * each].to_vec()
                };
                let found = run(&mut model, &pass, &step, input, &[state])?.remove(0);
                near(&what, &found, &part(&expected.values), dtype, expected.values.len() / expected.rows)?;
                if dtype != Dtype::F32 {
                    continue;
                }
                for (name, tap) in taps("image", layers, "image") {
                    let Some(expected) = golden.find(&tap)? else { continue };
                    // Where the prefix has no positions, it comes after they are added.
                    let late = tap.ends_with("embeddings") && prefixed_late(&golden)?;
                    let name = if late { "prefixed" } else { &name };
                    let found = run(&mut model, &pass, &step, input, &[name])?.remove(0);
                    close(&format!("{what}: {tap}"), &found, &part(&expected.values), INSIDE)?;
                }
            }
        }
    }
    Ok(())
}

fn prefixed_late(golden: &Golden) -> Result<bool, String> {
    Ok(golden.config()?["model_args"]["no_embed_class"] == json!(true))
}

/// Pictures of other sizes than the table of positions is for.
pub fn any_size(place: Place, dtype: Dtype) -> Result<(), String> {
    let golden = Golden::read("siglip-naflex")?;
    let mut model = golden.load(place, dtype, &golden.config()?)?;
    let grids: Vec<[usize; 2]> = serde_json::from_value(golden.json["grids"].clone()).map_err(|e| e.to_string())?;
    for (n, grid) in grids.into_iter().enumerate() {
        let bytes = golden.tap(&format!("picture/{n}"))?.values;
        let pixels: Vec<f32> = bytes.iter().map(|byte| (byte / 255.0 - 0.5) / 0.5).collect();
        // Twice the same, and once another in between.
        let other: Vec<f32> = pixels.iter().rev().copied().collect();
        for count in [1, 3] {
            let images = [&pixels[..], &other, &pixels][..count].concat();
            let step = Step::all(count, grid[0] * grid[1]).map_err(|error| error.to_string())?;
            for (output, state, tap) in &OUTPUTS[..2] {
                let expected = golden.tap(&tap.replace("image/", &format!("image/{n}/")))?;
                let size = grid.map(|patches| patches * 4);
                let pass = Pass::Images(ImagesPass { count, size, output: *output });
                let input = (states::IMAGE, bytemuck::cast_slice(&images[..]));
                let found = run(&mut model, &pass, &step, input, &[state])?.remove(0);
                let width = expected.values.len() / expected.rows;
                for image in found.chunks(expected.values.len()).step_by(2) {
                    near(&format!("{tap} of {grid:?}"), image, &expected.values, dtype, width)?;
                }
                if dtype != Dtype::F32 || count > 1 {
                    continue;
                }
                for (name, tap) in taps("image", layers(model.architecture.as_ref(), "image"), &format!("image/{n}")) {
                    let found = run(&mut model, &pass, &step, input, &[&name])?.remove(0);
                    close(&tap, &found, &golden.tap(&tap)?.values, INSIDE)?;
                }
            }
        }
    }
    Ok(())
}

/// Texts: one a pass and all in one; taps with f32 weights.
pub fn texts(place: Place, checkpoint: &str, dtype: Dtype) -> Result<(), String> {
    let golden = Golden::read(checkpoint)?;
    let mut model = golden.load(place, dtype, &golden.config()?)?;
    let texts = golden.texts();
    let expected = golden.tap("text/pooled")?;
    let width = expected.values.len() / expected.rows;
    for count in [1, texts.len()] {
        let pass = Pass::Texts { count };
        let step = Step::all(count, texts[0].len()).map_err(|error| error.to_string())?;
        for (n, texts) in texts.chunks(count).enumerate() {
            let ids = texts.concat();
            let input = (states::IDS, bytemuck::cast_slice(&ids[..]));
            let found = run(&mut model, &pass, &step, input, &[states::EMBEDDING])?.remove(0);
            let part = |values: &[f32]| {
                let each = values.len() / expected.rows * count;
                values[n * each..(n + 1) * each].to_vec()
            };
            near(&format!("text {n} of {count}"), &found, &part(&expected.values), dtype, width)?;
            if dtype != Dtype::F32 {
                continue;
            }
            for (name, tap) in taps("text", layers(model.architecture.as_ref(), "text"), "text") {
                let found = run(&mut model, &pass, &step, input, &[&name])?.remove(0);
                close(&tap, &found, &part(&golden.tap(&tap)?.values), INSIDE)?;
            }
        }
    }
    Ok(())
}

/// What must not come to the goldens: a field of the configuration that is another one, by its place.
pub fn negatives(place: Place) -> Result<(), String> {
    for (checkpoint, field, value) in NEGATIVES {
        let golden = Golden::read(checkpoint)?;
        let mut config = golden.config()?;
        let (parent, name) = field.rsplit_once('/').ok_or("a pointer")?;
        let value: Value = serde_json::from_str(value).map_err(|error| error.to_string())?;
        let object = config.pointer_mut(parent).and_then(Value::as_object_mut).ok_or("an object")?;
        object.insert(name.into(), value);
        let mut model = golden.load(place, Dtype::F32, &config)?;
        let missed = match field.contains("text_config") || *checkpoint == "siglip-text" {
            true => {
                let (texts, expected) = (golden.texts(), golden.tap("text/pooled")?.values);
                let step = Step::all(texts.len(), texts[0].len()).map_err(|error| error.to_string())?;
                let (pass, ids) = (Pass::Texts { count: texts.len() }, texts.concat());
                let input = (states::IDS, bytemuck::cast_slice(&ids[..]));
                deviation(field, &run(&mut model, &pass, &step, input, &[states::EMBEDDING])?[0], &expected)?
            }
            false => {
                let ((pixels, count), expected) = (golden.pixels()?, golden.tap("image/features")?);
                let side = ((pixels.len() / count / 3) as f64).sqrt() as usize;
                let pass = Pass::Images(ImagesPass { count, size: [side; 2], output: ImagesOutput::Features });
                let step = Step::all(count, expected.rows / count).map_err(|error| error.to_string())?;
                let input = (states::IMAGE, bytemuck::cast_slice(&pixels[..]));
                let found = run(&mut model, &pass, &step, input, &[states::IMAGE_FEATURES])?.remove(0);
                deviation(field, &found, &expected.values)?
            }
        };
        if missed < 10.0 * INSIDE {
            return Err(format!("{checkpoint} with {field}: misses by {missed:.1e} of a deviation alone"));
        }
    }
    Ok(())
}

/// Checkpoint, field, and what it is turned to.
const NEGATIVES: &[(&str, &str, &str)] = &[
    ("siglip-1", "/vision_config/hidden_act", "\"gelu\""),
    ("siglip-1", "/vision_config/num_attention_heads", "2"),
    ("siglip-1", "/vision_config/layer_norm_eps", "0.01"),
    ("siglip-1", "/text_config/hidden_act", "\"gelu\""),
    ("siglip-1", "/text_config/num_attention_heads", "1"),
    ("siglip-vision", "/hidden_act", "\"gelu\""),
    ("siglip-vision-headless", "/hidden_act", "\"gelu\""),
    ("siglip-text", "/hidden_act", "\"gelu\""),
    ("siglip-classifier", "/vision_config/hidden_act", "\"gelu\""),
    ("vit-timm-map", "/model_args/act_layer", "\"gelu_tanh\""),
    ("vit-timm-gap", "/model_args/act_layer", "\"gelu\""),
    ("vit-timm-token", "/model_args/act_layer", "\"gelu_tanh\""),
    ("vit-timm-reg", "/model_args/act_layer", "\"gelu_tanh\""),
    ("vit-timm-scale", "/model_args/act_layer", "\"gelu_tanh\""),
    ("vit-timm-scale", "/model_args/init_values", "null"),
    ("vit-timm-noembed", "/model_args/num_heads", "2"),
    ("vit-hf", "/hidden_act", "\"gelu_new\""),
    ("vit-hf", "/layer_norm_eps", "0.01"),
];

/// Where a binding holds the rows of few images only, those of several are done in chunks.
pub fn in_chunks(place: Place) -> Result<(), String> {
    let golden = Golden::read("siglip-1")?;
    let mut model = golden.load(place, Dtype::F32, &golden.config()?)?;
    let ((pixels, count), expected) = (golden.pixels()?, golden.tap("image/pooled")?);
    let copies = 24;
    let images = pixels.repeat(copies / count);
    let pass = Pass::Images(ImagesPass { count: copies, size: [44; 2], output: ImagesOutput::Embedding });
    let step = Step::all(copies, 9).map_err(|error| error.to_string())?;
    let input = (states::IMAGE, bytemuck::cast_slice(&images[..]));
    // Queries, keys and values of all images just fit; a patch's pixels do not.
    model.most = images.len() * 4;
    let found = run(&mut model, &pass, &step, input, &[states::EMBEDDING])?.remove(0);
    same("copies with room for all", model.copies, 0)?;
    for found in found.chunks(expected.values.len()) {
        close("pooled", found, &expected.values, INSIDE)?;
    }
    Ok(())
}

/// The names of a file that transformers 5 wrote.
pub fn other_names(place: Place) -> Result<(), String> {
    let (golden, named) = (Golden::read("vit-hf")?, folder("goldens").join("vit-hf-names-5x"));
    let architecture = models::open(&golden.config()?).map_err(|error| error.to_string())?;
    let mut model = Bare::load_as(place, architecture, &named, Dtype::F32)?;
    let ((pixels, count), expected) = (golden.pixels()?, golden.tap("logits")?.values);
    let pass = Pass::Images(ImagesPass { count, size: [44; 2], output: ImagesOutput::Logits });
    let step = Step::all(count, 10).map_err(|error| error.to_string())?;
    let input = (states::IMAGE, bytemuck::cast_slice(&pixels[..]));
    close("logits", &run(&mut model, &pass, &step, input, &[states::LOGITS])?[0], &expected, INSIDE).map(|_| ())
}

/// Pictures come to the reference's pixels.
pub fn prepared(checkpoint: &str) -> Result<(), String> {
    let golden = Golden::read(checkpoint)?;
    let architecture = models::open(&golden.config()?).map_err(|error| error.to_string())?;
    let processor = fs::read(folder("goldens").join(checkpoint).join("preprocessor_config.json")).ok();
    let processor = processor.map(|text| serde_json::from_slice(&text).expect("it is JSON"));
    let preprocessor = told(architecture.preprocessor(processor.as_ref()))?;
    let (expected, count) = golden.pixels()?;
    let names = golden.json["pictures"].as_array().cloned().unwrap_or_default();
    for (name, expected) in names.iter().zip(expected.chunks(expected.len() / count)) {
        let found = preprocessor.apply(&picture(name.as_str().ok_or("a name")?)?);
        let far = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        if found.len() != expected.len() || far > 1e-6 {
            return Err(format!("{name}: {} values, expected {}, {far} apart", found.len(), expected.len()));
        }
    }
    Ok(())
}
