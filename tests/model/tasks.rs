//! Tasks on a model, and the features of a picture kept from one question to the next.

use ocelli::models::paligemma::{ObjectTokens, SpecialToken, objects};
use ocelli::tasks::{Call, Dtype, GenerateOptions, Model, Object, Request, Task};
use pollster::block_on;

use super::asking::{greedy, load, options, picture, told};
use super::golden::{Golden, same};
use super::pool::Place;

/// A task gives what its prompt gives, and its objects are those of the answer's tokens.
pub fn equal_their_prompts(place: Place) -> Result<(), String> {
    let golden = Golden::read("pg1-hd16")?;
    let mut model = load(place, &golden.directory(), options(Dtype::F32))?;
    let case = golden.cases.iter().find(|case| case.prompt == "detect rocket ; cloud").ok_or("no golden detects")?;
    let pictures = [picture(&case.pictures[0])?];
    let detect = Task::Detect { labels: vec!["rocket".to_owned(), "cloud".to_owned()] };
    let generate = GenerateOptions { constrained: false, ..greedy(case.max_new_tokens) };
    let free = Call::default();
    let done = told(block_on(model.run_task(&pictures, &detect, &generate, &free, &mut |_| ())))?.outcome;
    same("tokens", &done.answer().expect("words").generation.tokens, &case.greedy_ids)?;
    let size = [pictures[0].width(), pictures[0].height()];
    let tokens = ObjectTokens::of(model.tokenizer().expect("a tokenizer"));
    let found = objects(
        model.tokenizer().expect("a tokenizer"),
        &tokens,
        &case.greedy_ids,
        &done.answer().expect("words").generation.logprobs,
        size,
    );
    same("objects", done.objects(), &found.objects.into_iter().map(Object::from).collect::<Vec<_>>())?;
    let no_labels = Task::Detect { labels: Vec::new() };
    let nothing = told(block_on(model.run_task(&pictures, &no_labels, &generate, &free, &mut |_| ())))?.outcome;
    same("objects of no labels", nothing.objects().len(), 0)?;
    // A prompt may be about any number of pictures, a task is about one.
    let several = told(block_on(model.run_task(&[], &detect, &generate, &free, &mut |_| ())));
    same("a task without a picture", several.is_err(), true)?;
    let prompt = Task::Prompt { text: case.prompt.clone() };
    let asked = told(block_on(model.run_task(&pictures, &prompt, &generate, &free, &mut |_| ())))?.outcome;
    same("tokens of the prompt as it is", &asked.answer().expect("words").generation.tokens, &case.greedy_ids)?;
    same("objects of a prompt", asked.objects().len(), 0)
}

/// Questions about two pictures in turn: each answer is that of a model which has seen nothing before.
pub fn keep_features_apart(place: Place) -> Result<(), String> {
    let golden = Golden::read("pg1-hd16")?;
    let mut model = load(place, &golden.directory(), options(Dtype::F32))?;
    let cases: Vec<_> = golden.cases.iter().filter(|case| case.pictures.len() == 1).collect();
    // A cancelled look must not pass for a finished one.
    let stopped = Call::default();
    stopped.cancel.cancel();
    for (n, &at) in [0, 1, 1, 0, 0, 1].iter().enumerate() {
        let case = cases.get(at).ok_or("too few goldens")?;
        let pictures = [picture(&case.pictures[0])?];
        let generate = GenerateOptions { max_new_tokens: Some(case.max_new_tokens), ..GenerateOptions::default() };
        let request = Request { pictures: &pictures, prompt: &case.prompt, options: &generate };
        if n % 2 == 1 && block_on(model.generate(request, &stopped, &mut |_| ())).is_ok() {
            return Err("a cancelled question was answered".into());
        }
        let answer = told(block_on(model.generate(request, &Call::default(), &mut |_| ())))?;
        same(&format!("tokens of question {n}"), &answer.generation.tokens, &case.greedy_ids)?;
    }
    Ok(())
}

/// Where a box has begun, four edges come, then sixteen codes if masks are wanted, then a word; without the grammar
/// random weights do nothing of the kind.
pub fn keep_to_the_grammar(place: Place) -> Result<(), String> {
    let golden = Golden::read("pg1-hd16")?;
    let mut model = load(place, &golden.directory(), options(Dtype::F32))?;
    let labels = vec!["rocket".to_owned()];
    let (mut boxes, mut broken) = (0, 0);
    for name in ["cat.png", "rocket.png", "coffee-alpha.png", "astronaut-grey.png"] {
        let pictures = [picture(name)?];
        for (task, codes) in
            [(Task::Detect { labels: labels.clone() }, 0), (Task::Segment { labels: labels.clone() }, 16)]
        {
            let free = Call::default();
            let constrained = greedy(60);
            let loose = GenerateOptions { constrained: false, ..constrained.clone() };
            let done = told(block_on(model.run_task(&pictures, &task, &constrained, &free, &mut |_| ())))?.outcome;
            boxes += well_formed(name, &model, &done.answer().expect("words").generation.tokens, codes)?;
            same("objects cut off by the length alone", done.dropped() <= 1, true)?;
            let done = told(block_on(model.run_task(&pictures, &task, &loose, &free, &mut |_| ())))?.outcome;
            broken += done.dropped();
        }
    }
    same("boxes and, without the grammar, broken ones", (boxes > 0, broken > 1), (true, true))
}

/// The same for tokens that are drawn, whose log-probabilities are those among the tokens that may come.
pub fn keep_to_the_grammar_when_drawn(place: Place) -> Result<(), String> {
    let golden = Golden::read("pg1-hd16")?;
    let mut model = load(place, &golden.directory(), options(Dtype::F32))?;
    let labels = vec!["rocket".to_owned()];
    let pictures = [picture("cat.png")?];
    let mut boxes = 0;
    for seed in 1..=4 {
        for (task, codes) in
            [(Task::Detect { labels: labels.clone() }, 0), (Task::Segment { labels: labels.clone() }, 16)]
        {
            for top_k in [0, 8] {
                let drawn = GenerateOptions { temperature: 1.5, top_k, seed, ..greedy(40) };
                let free = Call::default();
                let done = told(block_on(model.run_task(&pictures, &task, &drawn, &free, &mut |_| ())))?.outcome;
                let given = &done.answer().expect("words").generation;
                boxes += well_formed(&format!("seed {seed}, top_k {top_k}"), &model, &given.tokens, codes)?;
                if let Some(odd) = given.logprobs.iter().find(|x| !(x.is_finite() && **x <= 1e-3)) {
                    return Err(format!("seed {seed}: a log-probability of {odd}"));
                }
            }
        }
    }
    if boxes > 0 { Ok(()) } else { Err("no box was drawn".into()) }
}

/// How many objects begin among the tokens; each has four edges, `codes` codes and a word as far as the answer goes.
fn well_formed(what: &str, model: &Model, tokens: &[u32], codes: usize) -> Result<usize, String> {
    let known = ObjectTokens::of(model.tokenizer().expect("a tokenizer"));
    let marks: Vec<SpecialToken> = tokens.iter().map(|&id| known.special_token(id)).collect();
    let shape = |n: usize| match n {
        0..4 => "edge",
        _ if n < 4 + codes => "code",
        _ => "word",
    };
    let (mut at, mut objects) = (0, 0);
    while at < marks.len() {
        if !matches!(marks[at], SpecialToken::Location(_)) {
            at += 1;
            continue;
        }
        for (n, mark) in marks[at..].iter().take(5 + codes).enumerate() {
            let found = match mark {
                SpecialToken::Location(_) => "edge",
                SpecialToken::Segment(_) => "code",
                SpecialToken::Text => "word",
            };
            same(&format!("{what}: part {n} of the object at token {at}"), found, shape(n))?;
        }
        objects += 1;
        at += 5 + codes;
    }
    Ok(objects)
}
