//! Values inside the passes against those inside the reference: where a model goes wrong, these say in which layer.

use ocelli::graph::{Graph, WeightSpec};
use ocelli::kernels::Step;
use ocelli::models::paligemma::PaliGemma;
use ocelli::models::{Architecture, DecoderPass, Pass, PassOutput};
use ocelli::tensor::Dtype;
use serde_json::json;

use super::device::Bare;
use super::golden::{Golden, close, same};
use super::pool::Place;
use super::random::Random;
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
    let graph = build(&model, &Pass::EncodeImage)?;

    let mut names: Vec<(String, String)> = vec![("x".into(), "embeddings".into())];
    names.extend([("vision.0.out".into(), "layer_0/attention".into()), ("vision.0.fc2".into(), "layer_0/mlp".into())]);
    names.extend(
        (0..model.architecture.config().vision.encoder.layers).map(|i| (format!("vision.{i}.y"), format!("layer_{i}"))),
    );
    names.push(("vision.norm".into(), "post_layernorm".into()));
    let mut wanted: Vec<&str> = names.iter().map(|(ours, _)| ours.as_str()).collect();
    wanted.push("projector");

    let tokens = model.architecture.config().vision.tokens() as u32;
    let step = Step::one(0, tokens, tokens, 0);
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
        sequences: 1,
        tokens: ids.len().next_multiple_of(16) + 16,
        capacity: CAPACITY,
        slots: 1,
        feature_rows: case.image_token_count,
        output: PassOutput::Greedy,
        ids: None,
    };
    let graph = build(&model, &Pass::Decoder(pass.clone()))?;
    let layers = model.architecture.config().decoder.layers;
    let mut names: Vec<(String, String)> = vec![("x".into(), "decoder/input_embeddings".into())];
    names.push(("decoder.0.out".into(), "decoder/layer_0/attention".into()));
    names.push(("decoder.0.down".into(), "decoder/layer_0/mlp".into()));
    names.extend((0..layers).map(|i| (format!("decoder.{i}.y"), format!("decoder/layer_{i}"))));
    names.push(("norm".into(), "decoder/final_norm".into()));
    names.push((logits_of(&model).into(), "logits/steps".into()));
    let wanted: Vec<&str> = names.iter().map(|(ours, _)| ours.as_str()).collect();
    let step = Step::one(0, ids.len() as u32, ids.len() as u32, 0);
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
    let mut model = Bare::load(place, &golden.directory(), Dtype::F32)?;
    let (found, tokens, prefix) = force(&mut model, &golden, true)?;
    let case = golden.case(&golden.forced.case)?;
    let vocabulary = model.architecture.config().decoder.vocabulary;
    let rows = (prefix - 1) * vocabulary..tokens * vocabulary;
    let expected = golden.tap(&format!("{}/forced/logits", case.name))?.1;
    close("forced logits", &found[1][rows], &expected, INSIDE)?;
    close("forced log-probabilities", &found[0], &golden.forced.logprobs, INSIDE)?;
    Ok(())
}

/// The same where a binding is too small for the logits of all rows and, where it is wider than q, k and v together,
/// for the inside of the MLP: those are done in chunks.
pub fn forced_in_chunks(place: Place, checkpoint: &str) -> Result<(), String> {
    let golden = Golden::read(checkpoint)?;
    let mut model = Bare::load(place, &golden.directory(), Dtype::F32)?;
    let t = &model.architecture.config().decoder;
    let qkv = (t.heads + 2 * t.kv_heads) * t.head_dim;
    let case = golden.case(&golden.forced.case)?;
    let rows = case.input_ids.len() + golden.forced.suffix_ids.len() + BEHIND;
    let chunked_mlps = if 2 * t.mlp > qkv { t.layers } else { 0 };
    (model.most, model.fuse) = (rows * qkv * 4, false);
    let found = force(&mut model, &golden, false)?.0;
    close("forced log-probabilities", &found[0], &golden.forced.logprobs, INSIDE)?;
    // Each chunk of each run takes rows in and puts rows out.
    let least = 4 * (1 + chunked_mlps);
    if model.copies < least {
        return Err(format!("{} copies of rows, expected {least} or more", model.copies));
    }
    Ok(())
}

/// Rows of a pass behind its last valid one.
const BEHIND: usize = 3;

/// The log-probabilities of the forced answer and, if asked for, all logits; tokens of the pass and of its prefix.
fn force(model: &mut Bare, golden: &Golden, logits: bool) -> Result<(Vec<Vec<f32>>, usize, usize), String> {
    let case = golden.case(&golden.forced.case)?;
    let tap = |name: &str| golden.tap(&format!("{}/{name}", case.name)).map(|tap| tap.1);
    let (features, mut ids) = (tap("projector")?, slots(&case.input_ids, golden.image_token_id));
    let prefix = ids.len();
    ids.extend(&golden.forced.suffix_ids);
    let pass = DecoderPass {
        sequences: 1,
        tokens: ids.len() + BEHIND,
        capacity: CAPACITY,
        slots: 1,
        feature_rows: case.image_token_count,
        output: PassOutput::Score,
        ids: None,
    };
    let graph = build(model, &Pass::Decoder(pass.clone()))?;
    let step = Step::one(0, ids.len() as u32, prefix as u32, 0);
    let targets: Vec<u32> = ids[1..].iter().map(|&id| id & 0x7fff_ffff).chain([0]).collect();
    let states = [
        ("ids", bytemuck::cast_slice(&ids)),
        ("features", bytemuck::cast_slice(&features)),
        ("targets", bytemuck::cast_slice(&targets)),
    ];
    let wanted = if logits { vec!["scores", logits_of(model)] } else { vec!["scores"] };
    let mut found = model.run(graph, &step, &states, &wanted)?;
    found[0] = found[0][prefix - 1..ids.len() - 1].to_vec();
    Ok((found, ids.len(), prefix))
}

/// A picture of 64 x 64 patches and a prompt, with an MLP whose inside no binding holds: as in PaliGemma 3B at 896
/// pixels, on a small scale; then with queries, keys and values that fit none either, as in PaliGemma 2 10B.
pub fn large_picture(place: Place) -> Result<(), String> {
    let architecture = PaliGemma::from_hf(&json!({
        "model_type": "paligemma", "image_token_index": 63,
        "text_config": {
            "model_type": "gemma", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
            "num_key_value_heads": 1, "head_dim": 16, "intermediate_size": 1024, "vocab_size": 64,
        },
        "vision_config": {
            "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 32,
            "image_size": 896, "patch_size": 14,
        },
    }))
    .map_err(|error| error.to_string())?;
    let patches = architecture.config().vision.tokens();
    let image = Random::new("large picture").floats(896 * 896 * 3);
    let values = |spec: &WeightSpec| {
        let scale = (spec.k as f32).powf(-0.5);
        Ok(Random::new(&spec.name).floats(spec.rows * spec.k).into_iter().map(|x| x * scale).collect())
    };
    let mut model = Bare::fill(place, architecture, Dtype::F32, &values)?;
    let everywhere = model.most;
    let step = Step::one(0, patches as u32, patches as u32, 0);
    let graph = build(&model, &Pass::EncodeImage)?;
    let features = model.run(graph, &step, &[("image", bytemuck::cast_slice(&image))], &["projector"])?.remove(0);
    let ids: Vec<u32> = (0..patches as u32).map(|row| row | 1 << 31).chain([2, 7, 11, 5]).collect();
    let tokens = ids.len().next_multiple_of(128);
    let (capacity, output) = (tokens, PassOutput::Greedy);
    let pass = DecoderPass { sequences: 1, tokens, capacity, slots: 1, feature_rows: patches, output, ids: None };
    let step = Step::one(0, ids.len() as u32, ids.len() as u32, 0);
    let states = [("ids", bytemuck::cast_slice(&ids)), ("features", bytemuck::cast_slice(&features))];
    let mut logits = |most: usize| {
        model.most = most;
        let graph = build(&model, &Pass::Decoder(pass.clone()))?;
        let found = model.run(graph, &step, &states, &["logits"])?.remove(0);
        Ok::<_, String>((found, model.copies))
    };
    let (whole, copies) = logits(everywhere)?;
    same("copies with room for all", copies, 0)?;
    let (chunked, copies) = logits(10 << 20)?;
    // Two chunks a layer, each with its rows of the norm, of the residual and of the sum.
    same("copies in chunks", copies, 2 * 2 * 3)?;
    close("logits", &chunked, &whole, INSIDE)?;
    let (chunked, copies) = logits(1 << 20)?;
    // A layer's 17 chunks of the MLP, and its 2 of queries, keys and values, each with rows of the norm and of the
    // queries.
    same("copies in small chunks", copies, 2 * (17 * 3 + 2 * 2))?;
    close("logits", &chunked, &whole, INSIDE).map(|_| ())
}

fn build(model: &Bare, pass: &Pass) -> Result<Graph, String> {
    model.architecture.build(pass).map_err(|error| error.to_string())
}

fn logits_of(model: &Bare) -> &'static str {
    if model.architecture.config().decoder.final_softcap.is_some() { "capped" } else { "logits" }
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
