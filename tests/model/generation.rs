//! Ways to generate: one pass or step by step, beams, samples; and what a decode step may cost.

use std::collections::HashMap;

use ocelli::generate::{Candidate, Rng, sample};
use ocelli::session::Player;
use ocelli::tasks::{Dtype, GenerateOptions};
use pollster::block_on;

use super::asking::{ask, greedy, load, load_on, options, request, told};
use super::golden::{Golden, Warped, same};
use super::pool::{self, Place};
use super::tolerance::logits;

/// Log-probabilities from one pass over prompt and answer equal the reference's, and those of decoding step by step.
pub fn one_pass_equals_steps(place: Place, checkpoint: &str) -> Result<(), String> {
    let golden = Golden::read(checkpoint)?;
    let mut model = load(place, &golden.directory(), options(Dtype::F32))?;
    let forced = &golden.forced;
    let case = golden.case(&forced.case)?;
    let found = request(case, &greedy(1), |request| told(block_on(model.score(request, &forced.suffix_ids))))?;
    near("forced answer", &found, &forced.logprobs, case.logits_std[0])?;
    for case in &golden.cases {
        let answer = ask(&mut model, case, &greedy(case.max_new_tokens))?.generation;
        let found = request(case, &greedy(1), |request| told(block_on(model.score(request, &answer.tokens))))?;
        near(&case.name, &found, &answer.logprobs, case.logits_std[0])?;
    }
    Ok(())
}

/// The same where no binding holds the logits of all tokens, so that the head is run some rows at a time.
pub fn scores_in_chunks(place: Place, checkpoint: &str) -> Result<(), String> {
    let golden = Golden::read(checkpoint)?;
    let forced = &golden.forced;
    let case = golden.case(&forced.case)?;
    let limit = 64 << 10;
    let mut model = load_on(pool::open(place, Some(limit))?, &golden.directory(), options(Dtype::F32))?;
    let found = request(case, &greedy(1), |request| told(block_on(model.score(request, &forced.suffix_ids))))?;
    near("forced answer", &found, &forced.logprobs, case.logits_std[0])
}

fn near(what: &str, found: &[f32], expected: &[f32], deviation: f32) -> Result<(), String> {
    same(&format!("{what}: log-probabilities"), found.len(), expected.len())?;
    for (at, (x, y)) in found.iter().zip(expected).enumerate() {
        if (x - y).abs() > logits::F32 * deviation {
            return Err(format!("{what}: log-probability {at} is {x}, expected {y}"));
        }
    }
    Ok(())
}

/// Beam search finds the reference's best answer, and one beam is greedy.
pub fn beams(place: Place, checkpoint: &str) -> Result<(), String> {
    let golden = Golden::read(checkpoint)?;
    let mut model = load(place, &golden.directory(), options(Dtype::F32))?;
    let mut compared = 0;
    for search in &golden.beams {
        // Other penalties and ways to stop early are not offered; end tokens are the checkpoint's own.
        if search.length_penalty != 1.0 || search.early_stopping != false || search.eos_token_ids != [1] {
            continue;
        }
        let case = golden.case(&search.case)?;
        let options = GenerateOptions { beams: search.num_beams, ..greedy(search.max_new_tokens) };
        let answer = ask(&mut model, case, &options)?.generation;
        let best = &search.hypotheses[0];
        same(&format!("{} beams of {}", search.num_beams, case.name), &answer.tokens, &best.ids)?;
        let score = answer.logprobs.iter().sum::<f32>() / answer.tokens.len() as f32;
        if (score - best.score).abs() > logits::F32 {
            return Err(format!("{}: a score of {score}, expected {}", case.name, best.score));
        }
        compared += 1;
    }
    if compared < 2 {
        return Err(format!("only {compared} beam searches were compared"));
    }
    let case = &golden.cases[0];
    let one = ask(&mut model, case, &GenerateOptions { beams: 1, ..greedy(case.max_new_tokens) })?;
    same("one beam", &one.generation.tokens, &case.greedy_ids)
}

/// The same seed draws the same answer on every player.
pub fn samples(place: Place, checkpoint: &str) -> Result<(), String> {
    let golden = Golden::read(checkpoint)?;
    let mut here = load(place, &golden.directory(), options(Dtype::F32))?;
    let mut reference = load(Place::Cpu, &golden.directory(), options(Dtype::F32))?;
    let mut all = Vec::new();
    for (top_k, top_p) in [(50, 1.0), (0, 1.0), (0, 0.7), (8, 0.9)] {
        for seed in 1..=3 {
            let options = GenerateOptions { temperature: 1.2, top_k, top_p, seed, ..greedy(12) };
            let [found, expected] =
                [&mut here, &mut reference].map(|model| ask(model, &golden.cases[0], &options).map(|a| a.generation));
            let (found, expected) = (found?, expected?);
            same(&format!("seed {seed}, top_k {top_k}, top_p {top_p}"), &found.tokens, &expected.tokens)?;
            all.push(found.tokens);
        }
    }
    all.sort();
    all.dedup();
    if all.len() < 8 {
        return Err(format!("12 draws gave only {} answers", all.len()));
    }
    Ok(())
}

/// A step of a beam search makes nothing either: slots are copied by plans that are there.
pub fn beam_costs(place: Place, checkpoint: &str) -> Result<(), String> {
    let golden = Golden::read(checkpoint)?;
    let case = &golden.cases[0];
    let mut model = load(place, &golden.directory(), options(Dtype::Q8))?;
    let search = |tokens| GenerateOptions { beams: 3, ..greedy(tokens) };
    ask(&mut model, case, &search(24))?;
    let (memory, before) = (model.player().memory(), counts(model.player()));
    let given = ask(&mut model, case, &search(24))?.generation.tokens.len();
    same("memory", model.player().memory(), memory)?;
    if given < 8 {
        return Err(format!("an answer of {given} tokens is too short to tell"));
    }
    if let (Some(before), Some(after)) = (before, counts(model.player())) {
        same("buffers and pipelines made", (after.buffers, after.pipelines), (before.buffers, before.pipelines))?;
    }
    Ok(())
}

/// A decode step is one submit and 16 bytes, with nothing made.
pub fn decode_costs(place: Place, checkpoint: &str) -> Result<(), String> {
    let golden = Golden::read(checkpoint)?;
    let case = &golden.cases[0];
    let mut model = load(place, &golden.directory(), options(Dtype::Q8))?;
    // Makes room, plans and staging buffers for what follows.
    let longest = ask(&mut model, case, &greedy(case.max_new_tokens))?.generation.tokens.len();
    let mut cost = |tokens: usize| {
        let memory = model.player().memory();
        let before = counts(model.player());
        let given = ask(&mut model, case, &greedy(tokens))?.generation.tokens.len();
        same("tokens", given, tokens)?;
        same("memory", model.player().memory(), memory)?;
        Ok::<_, String>(before.zip(counts(model.player())))
    };
    let (few, many) = (2, longest);
    if many < few + 8 {
        return Err(format!("an answer of {many} tokens is too short to tell"));
    }
    let (Some(few_counts), Some(many_counts)) = (cost(few)?, cost(many)?) else {
        // The CPU has nothing to count; that its memory stays as it is was checked.
        return Ok(());
    };
    let steps = (many - few) as u64;
    let made = |(before, after): (ocelli::session::Counts, ocelli::session::Counts)| {
        (
            after.submits - before.submits,
            after.bytes_read - before.bytes_read,
            after.buffers - before.buffers,
            after.pipelines - before.pipelines,
        )
    };
    let (few, many) = (made(few_counts), made(many_counts));
    same("submits of decode steps", many.0 - few.0, steps)?;
    same("bytes read by decode steps", many.1 - few.1, 16 * steps)?;
    same("buffers and pipelines made", (many.2, many.3), (0, 0))
}

fn counts(player: &Player) -> Option<ocelli::session::Counts> {
    match player {
        Player::Gpu(player) => Some(player.counts()),
        Player::Cpu(_) => None,
    }
}

/// How often the sampler draws which token from the reference's logits. Needs no player.
pub fn sampling_distributions() -> Result<(), String> {
    let mut compared = 0;
    for checkpoint in ["pg1-hd16", "pg2-gqa"] {
        let golden = Golden::read(checkpoint)?;
        for warped in &golden.warped {
            let (shape, steps) = golden.tap(&format!("{}/logits/steps", warped.case))?;
            distribution(checkpoint, warped, &steps[..shape[1]])?;
            compared += 1;
        }
    }
    if compared < 10 { Err(format!("only {compared} distributions were compared")) } else { Ok(()) }
}

fn distribution(checkpoint: &str, warped: &Warped, logits: &[f32]) -> Result<(), String> {
    const DRAWS: usize = 20_000;
    let Warped { temperature, top_k, top_p, .. } = *warped;
    let name = format!("{checkpoint}: temperature {temperature}, top_k {top_k}, top_p {top_p}");
    let mut candidates: Vec<Candidate> =
        logits.iter().enumerate().map(|(id, &logit)| Candidate { id: id as u32, logit }).collect();
    candidates.sort_by(|a, b| b.logit.total_cmp(&a.logit));
    let mut random = Rng::new(11);
    let mut drawn: HashMap<u32, usize> = HashMap::new();
    for _ in 0..DRAWS {
        let chosen = sample(&candidates, temperature, top_k, top_p, &mut random).ok_or("nothing was drawn")?;
        *drawn.entry(chosen.id).or_default() += 1;
    }
    for (id, &probability) in warped.ids.iter().zip(&warped.probabilities) {
        let share = drawn.get(id).copied().unwrap_or(0) as f64 / DRAWS as f64;
        // Five standard deviations of a share.
        let bound = 5.0 * (probability * (1.0 - probability) / DRAWS as f64).sqrt() + 1e-4;
        if (share - probability).abs() > bound {
            return Err(format!("{name}: token {id} was drawn with a share of {share}, expected {probability}"));
        }
    }
    if warped.kept <= warped.ids.len()
        && let Some(other) = drawn.keys().find(|id| !warped.ids.contains(id))
    {
        return Err(format!("{name}: token {other} was drawn, which was cut"));
    }
    Ok(())
}
