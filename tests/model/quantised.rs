//! q8 and q4 against the f32 path on the dequantised weights: only the format's own error may remain.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use ocelli::graph::{Source, Storage};
use ocelli::models;
use ocelli::quant::{decode_rows, encode_rows};
use ocelli::tasks::Dtype;
use safetensors::tensor::TensorView;

use super::asking::{ask, greedy, load, logits_at, options};
use super::device::tensors;
use super::golden::{CHECKPOINTS, Golden, close};
use super::parity::small_files;
use super::pool::Place;
use super::tolerance::logits;

/// Least mean, over all goldens, of the cosine between the logits with q8 weights and the reference's.
const Q8_COSINE: f64 = 0.999;

/// A quantised model against its dequantised twin.
pub fn equals_dequantised(place: Place, checkpoint: &str, dtype: Dtype) -> Result<(), String> {
    let golden = Golden::read(checkpoint)?;
    let directory = dequantised(&golden, dtype)?;
    let compared = compare(place, &golden, &directory, dtype);
    fs::remove_dir_all(&directory).map_err(|error| error.to_string())?;
    compared
}

fn compare(place: Place, golden: &Golden, directory: &Path, dtype: Dtype) -> Result<(), String> {
    let mut quantised = load(place, &golden.directory(), options(dtype))?;
    let mut exact = load(place, directory, options(Dtype::F32))?;
    for case in &golden.cases {
        let expected = logits_at(&mut exact, case, 0)?;
        close(&case.name, &logits_at(&mut quantised, case, 0)?, &expected, logits::QUANTISED)?;
        // Decode steps compare for as long as both say the same.
        let most = greedy(4);
        let (ours, theirs) = (ask(&mut quantised, case, &most)?, ask(&mut exact, case, &most)?);
        let (ours, theirs) = (ours.generation.tokens, theirs.generation.tokens);
        let shared = ours.iter().zip(&theirs).take_while(|(a, b)| a == b).count();
        for step in 1..=shared.min(ours.len().saturating_sub(1)) {
            let (found, expected) = (logits_at(&mut quantised, case, step)?, logits_at(&mut exact, case, step)?);
            close(&format!("{} step {step}", case.name), &found, &expected, logits::QUANTISED)?;
        }
    }
    Ok(())
}

/// What the format itself costs: the cosine of the quantised logits with the reference's, over all goldens.
pub fn cosines(place: Place, dtype: Dtype) -> Result<(), String> {
    let mut all = Vec::new();
    for checkpoint in CHECKPOINTS {
        let golden = Golden::read(checkpoint)?;
        let mut model = load(place, &golden.directory(), options(dtype))?;
        for case in &golden.cases {
            let (shape, steps) = golden.tap(&format!("{}/logits/steps", case.name))?;
            all.push(cosine(&logits_at(&mut model, case, 0)?, &steps[..shape[1]]));
        }
    }
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let least = all.iter().copied().fold(1.0, f64::min);
    println!("{dtype} {place:?}: cosine with the reference's logits {mean:.5} on average, at least {least:.5}");
    if dtype == Dtype::Q8 && mean < Q8_COSINE {
        return Err(format!("a mean cosine of {mean}, expected at least {Q8_COSINE}"));
    }
    Ok(())
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// A checkpoint whose matrices went to `dtype` and back; blocks run along rows, so every tensor can go on its own.
fn dequantised(golden: &Golden, dtype: Dtype) -> Result<PathBuf, String> {
    let directory = small_files(golden, &format!("{}-{dtype}", golden.checkpoint))?;
    let text = fs::read_to_string(golden.directory().join("config.json")).map_err(|error| error.to_string())?;
    let json = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let architecture = models::open(&json).map_err(|error| error.to_string())?;
    let mut all = tensors(&golden.directory())?;
    let mut done = HashSet::new();
    let parts = architecture.parts();
    let specs = models::weight_specs(architecture.as_ref(), parts.iter().filter(|part| part.optional.is_none()))
        .map_err(|error| error.to_string())?;
    for spec in specs.iter().filter(|spec| spec.storage == Storage::Matrix) {
        let names = match &spec.source {
            Source::Concat(names) => names.clone(),
            Source::Interleave(even, odd) => vec![even.clone(), odd.clone()],
            source => return Err(format!("{source:?} has other blocks than its tensors")),
        };
        for name in names {
            if !done.insert(name.clone()) {
                continue;
            }
            let (_, values) = all.get_mut(&name).ok_or_else(|| format!("the checkpoint has no {name}"))?;
            let rows = values.len() / spec.k;
            let encoded = encode_rows(dtype, values, spec.k).map_err(|error| error.to_string())?;
            *values =
                decode_rows(dtype, &encoded.data, &encoded.scales, rows, spec.k).map_err(|error| error.to_string())?;
        }
    }
    let views = all.iter().map(|(name, (shape, values))| {
        let view = TensorView::new(safetensors::Dtype::F32, shape.clone(), bytemuck::cast_slice(values));
        view.map(|view| (name, view)).map_err(|error| error.to_string())
    });
    let views = views.collect::<Result<Vec<_>, _>>()?;
    let path = directory.join("model.safetensors");
    safetensors::serialize_to_file(views, None, &path).map_err(|error| error.to_string())?;
    Ok(directory)
}
