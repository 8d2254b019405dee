//! Answers that are cut off and taken up again by another model, as after the loss of a device.

use ocelli::generate::Generation;
use ocelli::session::CancelToken;
use ocelli::tasks::{Call, Dtype, GenerateOptions, Model, Task};
use pollster::block_on;

use super::asking::{greedy, load, options, picture, request, told};
use super::golden::{Golden, same};
use super::pool::Place;

type Ask<'a> = &'a dyn Fn(&mut Model, &Call, &mut dyn FnMut(&str)) -> Result<Generation, String>;

/// Stops an answer at its `at`-th piece of text.
fn cut_off(model: &mut Model, ask: Ask<'_>, at: usize) -> Result<Call, String> {
    let mut call = Call::default();
    let stop = call.cancel.clone();
    let mut pieces = 0;
    let cut = ask(model, &call, &mut |_| {
        pieces += 1;
        if pieces == at {
            stop.cancel();
        }
    });
    match cut {
        Err(error) if error.contains("CANCELLED") => call.cancel = CancelToken::default(),
        other => return Err(format!("the answer was not cut off at piece {at}: {other:?}")),
    }
    Ok(call)
}

fn taken_up(what: &str, one: &mut Model, other: &mut Model, ask: Ask<'_>) -> Result<(), String> {
    let whole = ask(one, &Call::default(), &mut |_| ())?;
    for at in [1, 2, 5] {
        let call = cut_off(one, ask, at)?;
        let mut heard = String::new();
        let again = ask(other, &call, &mut |piece| heard.push_str(piece))?;
        same(&format!("{what}, cut off at {at}: tokens"), &again.tokens, &whole.tokens)?;
        same(&format!("{what}, cut off at {at}: text"), (&again.text, &heard), (&whole.text, &whole.text))?;
        // The call is over: the next answer with it is a new one.
        same(&format!("{what}: the call once more"), &ask(other, &call, &mut |_| ())?.tokens, &whole.tokens)?;
    }
    Ok(())
}

/// The likeliest, drawn and constrained answers go on as if nothing had happened.
pub fn go_on(place: Place) -> Result<(), String> {
    let golden = Golden::read("pg1-hd16")?;
    let mut one = load(place, &golden.directory(), options(Dtype::F32))?;
    let mut other = load(place, &golden.directory(), options(Dtype::F32))?;
    let case = &golden.cases[0];
    let drawn = GenerateOptions { temperature: 1.2, seed: 3, ..greedy(16) };
    for (what, options) in [("the likeliest answer", greedy(16)), ("a drawn answer", drawn.clone())] {
        taken_up(what, &mut one, &mut other, &|model, call, emit| {
            request(case, &options, |asked| told(block_on(model.generate(asked, call, emit)))).map(|a| a.generation)
        })?;
    }
    let segment = Task::Segment { labels: vec!["rocket".to_owned()] };
    let seen = [picture("cat.png")?];
    for (what, options) in [("objects", greedy(40)), ("drawn objects", drawn)] {
        taken_up(what, &mut one, &mut other, &|model, call, emit| {
            let done = block_on(model.run_task(&seen, &segment, &options, call, emit));
            told(done).map(|done| done.outcome.answer().expect("words").generation.clone())
        })?;
    }
    Ok(())
}

/// What was said stays said, also where the other model would have said something else.
pub fn stand_by_what_was_said(place: Place) -> Result<(), String> {
    let golden = Golden::read("pg2-gqa")?;
    let case = &golden.cases[0];
    let mut one = load(place, &golden.directory(), options(Dtype::F32))?;
    let mut other = load(place, &Golden::read("pg2-cap5")?.directory(), options(Dtype::F32))?;
    let ask: Ask<'_> = &|model, call, emit| {
        request(case, &greedy(12), |asked| told(block_on(model.generate(asked, call, emit)))).map(|a| a.generation)
    };
    let whole = ask(&mut one, &Call::default(), &mut |_| ())?.tokens;
    let its_own = ask(&mut other, &Call::default(), &mut |_| ())?.tokens;
    let call = cut_off(&mut one, ask, 4)?;
    let mixed = ask(&mut other, &call, &mut |_| ())?.tokens;
    let kept = mixed.iter().zip(&whole).take_while(|(a, b)| a == b).count();
    if whole[..2] == its_own[..2] || kept < 3 || kept == whole.len() {
        return Err(format!("{mixed:?} keeps {kept} tokens of {whole:?}; the other model says {its_own:?}"));
    }
    Ok(())
}
