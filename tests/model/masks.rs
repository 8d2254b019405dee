//! Masks from codes against PyTorch, with weights made from a hash on both sides.

use std::fs;

use ocelli::format::MemoryFiles;
use ocelli::tasks::{Dtype, Model};
use pollster::block_on;
use safetensors::tensor::TensorView;
use safetensors::{SafeTensors, serialize};

use super::asking::{options, told};
use super::golden::{close, folder};
use super::pool::{self, Place, Pooled};
use super::tolerance::logits;

/// Shapes of the published decoder with the number of terms of each sum, which sets the size of its weights.
const LAYERS: [(&str, &[usize], usize, usize); 12] = [
    ("decoder.0", &[128, 512, 1, 1], 512, 128),
    ("decoder.2.net.0", &[128, 128, 3, 3], 1152, 128),
    ("decoder.2.net.2", &[128, 128, 3, 3], 1152, 128),
    ("decoder.2.net.4", &[128, 128, 1, 1], 128, 128),
    ("decoder.3.net.0", &[128, 128, 3, 3], 1152, 128),
    ("decoder.3.net.2", &[128, 128, 3, 3], 1152, 128),
    ("decoder.3.net.4", &[128, 128, 1, 1], 128, 128),
    ("decoder.4", &[128, 128, 4, 4], 512, 128),
    ("decoder.6", &[128, 64, 4, 4], 512, 64),
    ("decoder.8", &[64, 32, 4, 4], 256, 32),
    ("decoder.10", &[32, 16, 4, 4], 128, 16),
    ("decoder.12", &[1, 16, 1, 1], 96, 1),
];

/// Numbers in -scale..scale from a hash of their place, as `tests/reference/mask_decoder.py` makes them.
fn values(tensor: u32, count: usize, scale: f32) -> Vec<f32> {
    let seed = (tensor + 1).wrapping_mul(0x85EB_CA77);
    let unit = |at: u32| {
        let mut x = at.wrapping_mul(0x9E37_79B1) ^ seed;
        for (shift, factor) in [(16, 0x85EB_CA6B), (13, 0xC2B2_AE35)] {
            x = (x ^ (x >> shift)).wrapping_mul(factor);
        }
        x ^= x >> 16;
        (x >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count as u32).map(|at| unit(at) * scale).collect()
}

fn weights() -> Result<Vec<u8>, String> {
    let mut all = vec![("_vq_vae._embedding".to_owned(), vec![128, 512], values(0, 128 * 512, 1.0))];
    for (name, shape, terms, out) in LAYERS {
        let scale = (6.0 / terms as f64).sqrt() as f32;
        let weight = values(all.len() as u32, shape.iter().product(), scale);
        all.push((format!("{name}.weight"), shape.to_vec(), weight));
        let bias = values(all.len() as u32, out, 0.1);
        all.push((format!("{name}.bias"), vec![out], bias));
    }
    let views: Result<Vec<_>, String> = all
        .iter()
        .map(|(name, shape, values)| {
            let view = TensorView::new(safetensors::Dtype::F32, shape.clone(), bytemuck::cast_slice(values));
            Ok((name.clone(), view.map_err(|error| error.to_string())?))
        })
        .collect();
    serialize(views?, None).map_err(|error| error.to_string())
}

/// A small model with a mask decoder.
fn model(place: Place, dtype: Dtype) -> Result<Pooled, String> {
    let mut files = MemoryFiles::new();
    for name in ["config.json", "tokenizer.json", "preprocessor_config.json", "model.safetensors"] {
        let path = folder("goldens").join("pg1-hd16").join(name);
        files.insert(name, fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?);
    }
    files.insert("mask_decoder.safetensors", weights()?);
    let player = pool::take(place)?;
    Ok(Pooled::new(place, told(block_on(Model::load(&files, player, options(dtype), || 0.0, &mut |_| Ok(()))))?))
}

/// Every golden mask.
pub fn drawn(place: Place, dtype: Dtype, bound: f32) -> Result<(), String> {
    let bytes =
        fs::read(folder("goldens").join("mask_decoder/golden.safetensors")).map_err(|error| error.to_string())?;
    let golden = SafeTensors::deserialize(&bytes).map_err(|error| error.to_string())?;
    let tensor = |name| golden.tensor(name).map_err(|error| error.to_string());
    let masks: Vec<f32> = bytemuck::pod_collect_to_vec(tensor("masks")?.data());
    let mut model = model(place, dtype)?;
    for (n, (codes, expected)) in tensor("codes")?.data().chunks_exact(16).zip(masks.chunks_exact(64 * 64)).enumerate()
    {
        let codes = codes.try_into().map_err(|_| "a golden has other than 16 codes")?;
        let found = told(block_on(model.decode_mask(&codes)))?;
        close(&format!("mask {n}"), &found, expected, bound)?;
    }
    Ok(())
}

/// What a model without a mask decoder says.
pub fn none(place: Place) -> Result<(), String> {
    let directory = folder("goldens").join("pg1-hd16");
    let mut model = super::asking::load(place, &directory, options(Dtype::Q8))?;
    if model.decodes_masks() {
        return Err("a mask decoder came from nowhere".into());
    }
    match block_on(model.decode_mask(&[0; 16])) {
        Err(error) if error.code() == "OCELLI_UNSUPPORTED" => Ok(()),
        Err(error) => Err(format!("{error} ({})", error.code())),
        Ok(_) => Err("a mask came from nowhere".into()),
    }
}

/// How far masks of quantised weights may be from the reference's, as a share of its deviation.
pub fn bound(dtype: Dtype) -> f32 {
    match dtype {
        Dtype::F32 => logits::INSIDE,
        Dtype::F16 => logits::F16,
        Dtype::Q8 | Dtype::Q4 => 8e-2,
    }
}
