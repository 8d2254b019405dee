//! What Hugging Face transformers said about a checkpoint: `golden.json` and `golden.safetensors`.

use std::fs;
use std::path::PathBuf;

use safetensors::SafeTensors;
use serde::Deserialize;

use super::root::root;

/// Checkpoints that have goldens.
pub const CHECKPOINTS: [&str; 4] = ["pg1-hd16", "pg1-hd72", "pg2-gqa", "pg2-cap5"];

/// The golden of one checkpoint.
#[derive(Deserialize)]
pub struct Golden {
    pub checkpoint: String,
    pub image_token_id: u32,
    pub cases: Vec<GoldenCase>,
    pub forced: Forced,
    #[serde(default)]
    pub beams: Vec<Beams>,
    #[serde(default)]
    pub warped: Vec<Warped>,
    #[serde(skip)]
    taps: Vec<u8>,
}

#[derive(Deserialize)]
pub struct GoldenCase {
    pub name: String,
    pub pictures: Vec<String>,
    pub prompt: String,
    pub input_ids: Vec<u32>,
    pub image_token_count: usize,
    pub max_new_tokens: usize,
    pub stop: String,
    pub greedy_ids: Vec<u32>,
    pub text: String,
    pub logprobs: Vec<f32>,
    pub margins: Vec<f32>,
    pub logits_std: Vec<f32>,
}

#[derive(Deserialize)]
pub struct Forced {
    pub case: String,
    pub suffix_ids: Vec<u32>,
    pub logprobs: Vec<f32>,
}

#[derive(Deserialize)]
pub struct Beams {
    pub case: String,
    pub num_beams: usize,
    pub length_penalty: f32,
    pub early_stopping: serde_json::Value,
    pub max_new_tokens: usize,
    pub eos_token_ids: Vec<u32>,
    pub hypotheses: Vec<Hypothesis>,
}

#[derive(Deserialize)]
pub struct Hypothesis {
    pub ids: Vec<u32>,
    pub score: f32,
}

#[derive(Deserialize)]
pub struct Warped {
    pub case: String,
    pub temperature: f32,
    pub top_k: usize,
    pub top_p: f32,
    pub kept: usize,
    pub ids: Vec<u32>,
    pub probabilities: Vec<f64>,
}

/// A folder below `tests`.
pub fn folder(of: &str) -> PathBuf {
    root().join("tests").join(of)
}

impl Golden {
    /// The golden of a checkpoint.
    pub fn read(checkpoint: &str) -> Result<Self, String> {
        let directory = folder("goldens").join(checkpoint);
        let read = |name: &str| fs::read(directory.join(name)).map_err(|error| format!("{checkpoint}/{name}: {error}"));
        let mut golden: Self = serde_json::from_slice(&read("golden.json")?)
            .map_err(|error| format!("{checkpoint}/golden.json: {error}"))?;
        golden.taps = read("golden.safetensors")?;
        Ok(golden)
    }

    /// Where the checkpoint lies.
    pub fn directory(&self) -> PathBuf {
        folder("goldens").join(&self.checkpoint)
    }

    pub fn case(&self, name: &str) -> Result<&GoldenCase, String> {
        self.cases.iter().find(|case| case.name == name).ok_or_else(|| format!("no case {name}"))
    }

    /// A tap such as `cat-caption/decoder/layer_0`: its shape and values.
    pub fn tap(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>), String> {
        let taps = SafeTensors::deserialize(&self.taps).map_err(|error| error.to_string())?;
        let tap = taps.tensor(name).map_err(|error| format!("{name}: {error}"))?;
        let values = tap.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        Ok((tap.shape().to_vec(), values))
    }
}

/// How far `found` is from `expected`: the largest difference as a share of the standard deviation of `expected`.
pub fn deviation(what: &str, found: &[f32], expected: &[f32]) -> Result<f32, String> {
    if found.len() != expected.len() {
        return Err(format!("{what}: {} values, expected {}", found.len(), expected.len()));
    }
    let n = expected.len() as f64;
    let mean = expected.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
    let variance = expected.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
    let mut worst = 0.0f64;
    for (at, (&x, &y)) in found.iter().zip(expected).enumerate() {
        if !x.is_finite() {
            return Err(format!("{what}: {x} at {at}"));
        }
        worst = worst.max((f64::from(x) - f64::from(y)).abs());
    }
    Ok((worst / variance.sqrt()) as f32)
}

/// Fails if `found` is further from `expected` than `bound` standard deviations.
pub fn close(what: &str, found: &[f32], expected: &[f32], bound: f32) -> Result<f32, String> {
    let worst = deviation(what, found, expected)?;
    if worst <= bound {
        Ok(worst)
    } else {
        Err(format!("{what}: off by {worst:.2e} of its deviation, allowed {bound:.0e}"))
    }
}

/// Fails unless both are the same.
pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: found {found:?}, expected {expected:?}")) }
}
