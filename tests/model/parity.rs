//! Answers against the reference's, with f32 and f16 weights.

use std::fs;

use ocelli::tasks::{Dtype, Finish, ModelOptions};

use super::asking::{SMALL_FILES, ask, assemble, greedy, load, load_on, logits_at, options};
use super::golden::{CHECKPOINTS, Golden, GoldenCase, close, same};
use super::pool::{self, Place};
use super::tolerance::logits;

/// Ids, text, log-probabilities and the logits of every step that has some.
pub fn answers(place: Place, checkpoint: &str) -> Result<(), String> {
    let golden = Golden::read(checkpoint)?;
    let mut model = load(place, &golden.directory(), options(Dtype::F32))?;
    for case in &golden.cases {
        let named = |message: String| format!("{}: {message}", case.name);
        let answer = ask(&mut model, case, &greedy(case.max_new_tokens)).map_err(named)?;
        same("prompt", &answer.prompt_tokens[..], &case.input_ids[case.image_token_count..]).map_err(named)?;
        let given = &answer.generation;
        let sure = sure_steps(case);
        let until = |ids: &[u32]| ids[..sure.min(ids.len())].to_vec();
        same("tokens", until(&given.tokens), until(&case.greedy_ids)).map_err(named)?;
        if sure == case.greedy_ids.len() {
            same("text", given.text.as_str(), &case.text).map_err(named)?;
            let finish = if case.stop == "eos" { Finish::Eos } else { Finish::Length };
            same("finish", given.finish, finish).map_err(named)?;
        }
        for (step, (found, expected)) in given.logprobs.iter().zip(&case.logprobs).take(sure).enumerate() {
            let bound = logits::F32 * case.logits_std[step];
            if (found - expected).abs() > bound {
                return Err(named(format!("log-probability {step} is {found}, expected {expected} to {bound:.1e}")));
            }
        }
        let (shape, steps) = golden.tap(&format!("{}/logits/steps", case.name))?;
        for step in 0..shape[0].min(sure) {
            let found = logits_at(&mut model, case, step).map_err(named)?;
            let expected = &steps[step * shape[1]..(step + 1) * shape[1]];
            close(&format!("logits of step {step}"), &found, expected, logits::F32).map_err(named)?;
        }
    }
    Ok(())
}

/// Steps before the first whose two best logits are too close to tell which must win.
fn sure_steps(case: &GoldenCase) -> usize {
    case.margins.iter().position(|&margin| margin < logits::MARGIN).unwrap_or(case.greedy_ids.len())
}

/// The same weights under the tensor names of later releases.
pub fn other_names(place: Place, names: &str) -> Result<(), String> {
    let golden = Golden::read("pg1-hd16")?;
    let (base, named) = (golden.directory(), super::golden::folder("goldens").join(names));
    let files = [
        (named.as_path(), "config.json"),
        (named.as_path(), "model.safetensors"),
        (base.as_path(), "tokenizer.json"),
        (base.as_path(), "preprocessor_config.json"),
    ];
    let directory = assemble(names, &files)?;
    let answered = (|| {
        let mut model = load(place, &directory, options(Dtype::F32))?;
        let case = &golden.cases[0];
        let answer = ask(&mut model, case, &greedy(case.max_new_tokens))?;
        same("tokens", &answer.generation.tokens, &case.greedy_ids)?;
        let (shape, steps) = golden.tap(&format!("{}/logits/steps", case.name))?;
        close("logits", &logits_at(&mut model, case, 0)?, &steps[..shape[1]], logits::F32).map(|_| ())
    })();
    fs::remove_dir_all(&directory).map_err(|error| error.to_string())?;
    answered
}

/// f16 weights.
pub fn half(place: Place, checkpoint: &str) -> Result<(), String> {
    let golden = Golden::read(checkpoint)?;
    let mut model = load(place, &golden.directory(), options(Dtype::F16))?;
    for case in &golden.cases {
        let (shape, steps) = golden.tap(&format!("{}/logits/steps", case.name))?;
        let found = logits_at(&mut model, case, 0)?;
        close(&case.name, &found, &steps[..shape[1]], logits::F16)?;
    }
    Ok(())
}

/// Small bindings cut every table into shards.
pub fn small_bindings(place: Place, max_binding_bytes: usize) -> Result<(), String> {
    for checkpoint in CHECKPOINTS {
        let golden = Golden::read(checkpoint)?;
        let case = &golden.cases[0];
        let limit = Some(max_binding_bytes);
        let mut model = load_on(pool::open(place, limit)?, &golden.directory(), options(Dtype::F32))?;
        let answer = ask(&mut model, case, &greedy(case.max_new_tokens))?;
        same(checkpoint, &answer.generation.tokens, &case.greedy_ids)?;
        let (shape, steps) = golden.tap(&format!("{}/logits/steps", case.name))?;
        close(checkpoint, &logits_at(&mut model, case, 0)?, &steps[..shape[1]], logits::F32)?;
    }
    Ok(())
}

/// Merging operations changes no more than rounding does.
pub fn unfused(place: Place, checkpoint: &str) -> Result<(), String> {
    let golden = Golden::read(checkpoint)?;
    let case = &golden.cases[0];
    let mut fused = load(place, &golden.directory(), options(Dtype::F32))?;
    let mut plain = load(place, &golden.directory(), ModelOptions { dtype: Dtype::F32, fuse: false })?;
    let answers = [&mut fused, &mut plain].map(|model| ask(model, case, &greedy(case.max_new_tokens)));
    let [fused_answer, plain_answer] = answers;
    same("tokens", plain_answer?.generation.tokens, fused_answer?.generation.tokens)?;
    let (found, expected) = (logits_at(&mut plain, case, 0)?, logits_at(&mut fused, case, 0)?);
    close("logits", &found, &expected, logits::INSIDE).map(|_| ())
}

/// Everything a directory needs for a model of other weights.
pub fn small_files(golden: &Golden, name: &str) -> Result<std::path::PathBuf, String> {
    let directory = golden.directory();
    assemble(name, &SMALL_FILES.map(|file| (directory.as_path(), file)))
}
