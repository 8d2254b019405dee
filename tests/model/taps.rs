//! Values inside the passes against those inside the reference: where a model goes wrong, these say in which layer.

use ocelli::kernels::Step;
use ocelli::models::paligemma::{DecoderPass, PassOutput, decoder, vision};
use ocelli::tensor::Dtype;

use super::device::Bare;
use super::golden::{Golden, close};
use super::pool::Place;
use super::tolerance::logits::INSIDE;

/// Rows of a KV cache: more than any case needs, and no multiple of a tile.
const CAPACITY: usize = 92;

/// The tower and the projector from the reference's pixels.
pub fn vision_taps(place: Place, checkpoint: &str) -> Result<(), String> {
    let golden = Golden::read(checkpoint)?;
    let case = &golden.cases[0];
    let tap = |name: &str| golden.tap(&format!("{}/vision/{name}", case.name));
    let mut model = Bare::load(place, &golden.directory(), Dtype::F32)?;
    let (shape, pixels) = tap("pixel_values")?;
    let (channels, area) = (shape[1], shape[2] * shape[3]);
    let image: Vec<f32> =
        (0..area).flat_map(|at| (0..channels).map(move |c| (at, c))).map(|(at, c)| pixels[c * area + at]).collect();
    let graph = vision(&model.config, &model.table).map_err(|error| error.to_string())?;

    let mut names: Vec<(String, String)> = vec![("x".into(), "embeddings".into())];
    names.extend([("vision.0.out".into(), "layer_0/attention".into()), ("vision.0.fc2".into(), "layer_0/mlp".into())]);
    names.extend((0..model.config.vision.layers).map(|i| (format!("vision.{i}.y"), format!("layer_{i}"))));
    names.push(("vision.norm".into(), "post_layernorm".into()));
    let mut wanted: Vec<&str> = names.iter().map(|(ours, _)| ours.as_str()).collect();
    wanted.push("projector");

    let tokens = model.config.vision.tokens() as u32;
    let step = Step { position: 0, tokens, prefix: tokens, slot: 0 };
    let found = model.run(graph, &step, &[("image", bytemuck::cast_slice(&image))], &wanted)?;
    for ((_, theirs), values) in names.iter().zip(&found) {
        close(theirs, values, &tap(theirs)?.1, INSIDE)?;
    }
    let projector = golden.tap(&format!("{}/projector", case.name))?.1;
    close("projector", &found[names.len()], &projector, INSIDE)?;
    Ok(())
}

/// The decoder's prefill from the reference's picture features.
pub fn decoder_taps(place: Place, checkpoint: &str) -> Result<(), String> {
    let golden = Golden::read(checkpoint)?;
    let case = &golden.cases[0];
    let tap = |name: &str| golden.tap(&format!("{}/{name}", case.name)).map(|tap| tap.1);
    let mut model = Bare::load(place, &golden.directory(), Dtype::F32)?;
    let (features, ids) = (tap("projector")?, slots(&case.input_ids, golden.image_token_id));
    // A bucket longer than the prompt: what lies in its further rows must not matter.
    let pass = DecoderPass {
        tokens: ids.len().next_multiple_of(16) + 16,
        capacity: CAPACITY,
        slots: 1,
        feature_rows: case.image_token_count,
        output: PassOutput::Greedy,
        ids: None,
    };
    let graph = decoder(&model.config, &model.table, &pass).map_err(|error| error.to_string())?;
    let layers = model.config.decoder.layers;
    let mut names: Vec<(String, String)> = vec![("x".into(), "decoder/input_embeddings".into())];
    names.push(("decoder.0.out".into(), "decoder/layer_0/attention".into()));
    names.push(("decoder.0.down".into(), "decoder/layer_0/mlp".into()));
    names.extend((0..layers).map(|i| (format!("decoder.{i}.y"), format!("decoder/layer_{i}"))));
    names.push(("norm".into(), "decoder/final_norm".into()));
    names.push((logits_of(&model).into(), "logits/steps".into()));
    let wanted: Vec<&str> = names.iter().map(|(ours, _)| ours.as_str()).collect();
    let step = Step { position: 0, tokens: ids.len() as u32, prefix: ids.len() as u32, slot: 0 };
    let states = [("ids", bytemuck::cast_slice(&ids)), ("features", bytemuck::cast_slice(&features))];
    let found = model.run(graph, &step, &states, &wanted)?;
    for ((_, theirs), values) in names.iter().zip(&found) {
        let expected = tap(theirs)?;
        // The bucket's further rows are not compared; of the steps only the first is the prefill's.
        let both = values.len().min(expected.len());
        close(theirs, &values[..both], &expected[..both], INSIDE)?;
    }
    Ok(())
}

/// One pass over prefix and answer: the rows after the prefix see it whole, themselves causally, and only a window.
pub fn forced_logits(place: Place, checkpoint: &str) -> Result<(), String> {
    let golden = Golden::read(checkpoint)?;
    let case = golden.case(&golden.forced.case)?;
    let tap = |name: &str| golden.tap(&format!("{}/{name}", case.name)).map(|tap| tap.1);
    let mut model = Bare::load(place, &golden.directory(), Dtype::F32)?;
    let (features, mut ids) = (tap("projector")?, slots(&case.input_ids, golden.image_token_id));
    let prefix = ids.len();
    ids.extend(&golden.forced.suffix_ids);
    let pass = DecoderPass {
        tokens: ids.len() + 3,
        capacity: CAPACITY,
        slots: 1,
        feature_rows: case.image_token_count,
        output: PassOutput::Score,
        ids: None,
    };
    let graph = decoder(&model.config, &model.table, &pass).map_err(|error| error.to_string())?;
    let step = Step { position: 0, tokens: ids.len() as u32, prefix: prefix as u32, slot: 0 };
    let targets: Vec<u32> = ids[1..].iter().map(|&id| id & 0x7fff_ffff).chain([0]).collect();
    let states = [
        ("ids", bytemuck::cast_slice(&ids)),
        ("features", bytemuck::cast_slice(&features)),
        ("targets", bytemuck::cast_slice(&targets)),
    ];
    let found = model.run(graph, &step, &states, &[logits_of(&model), "scores"])?;
    let vocabulary = model.config.decoder.vocabulary;
    let rows = (prefix - 1) * vocabulary..ids.len() * vocabulary;
    close("forced logits", &found[0][rows], &tap("forced/logits")?, INSIDE)?;
    let scores = &found[1][prefix - 1..ids.len() - 1];
    close("forced log-probabilities", scores, &golden.forced.logprobs, INSIDE)?;
    Ok(())
}

fn logits_of(model: &Bare) -> &'static str {
    if model.config.decoder.final_softcap.is_some() { "capped" } else { "logits" }
}

/// Ids with image tokens replaced by the rows of the features.
fn slots(ids: &[u32], image_token: u32) -> Vec<u32> {
    let mut row = 0;
    let slot = |&id: &u32| {
        if id != image_token {
            return id;
        }
        row += 1;
        (1 << 31) | (row - 1)
    };
    ids.iter().map(slot).collect()
}
