use std::collections::VecDeque;
use std::ops::Range;

use serde::Serialize;

use super::beam::{Hypothesis, beam_search};
use super::call::{Call, Taken};
use super::prompt::Prompt;
use super::rng::Rng;
use super::stop::StopTexts;
use super::{Candidate, GenerateOptions, MAX_TOP_K, sample};
use crate::base::Result;
use crate::models::Grammar;
use crate::session::{AutoRegressive, PassOutput, Player, Submitted};
use crate::text::Tokenizer;

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Finish {
    /// The model's end token came.
    Eos,
    /// A stop text came.
    Stop,
    /// As many tokens as were allowed.
    Length,
}

/// What was generated.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Generation {
    /// The text, without what ended it.
    pub text: String,
    /// The tokens' ids, with the final end token where there is one.
    pub tokens: Vec<u32>,
    /// The natural logarithm of each token's probability, before temperature and cuts.
    pub logprobs: Vec<f32>,
    /// Why it ended: the end token, a stop text, or the allowed length.
    #[cfg_attr(test, ts(inline))]
    pub finish: Finish,
    /// The logits `[V]` at the end of the prompt, if they were asked for.
    #[serde(skip)]
    pub logits: Vec<f32>,
}

/// Decode steps submitted ahead of the read-back of the first on a GPU: hides the way from device to host. The CPU
/// works only while somebody waits, so there is no way to hide.
const AHEAD: usize = 4;

/// Continues a prompt, at most to the last position that the model was trained on; `emit` gets pieces of text as they become certain.
///
/// `after_prefill` is called once the first token is known, for timings. What `call` has said before, on a device that was
/// lost, is said again as it was, and looked at in the same pass as the prompt; a search by beams, which says nothing before
/// its end, begins anew.
///
/// # Errors
/// Options out of range, a prompt longer than the model was trained on or than memory holds, a cancelled token, or a failing device.
pub async fn generate(
    model: &mut AutoRegressive,
    tokenizer: &Tokenizer,
    prompt: Prompt<'_>,
    options: &GenerateOptions,
    call: &Call,
    after_prefill: &mut dyn FnMut(),
    emit: &mut dyn FnMut(&str),
) -> Result<Generation> {
    let cancel = &call.cancel;
    options.validate()?;
    cancel.check()?;
    let most = options.most_tokens().min(model.positions_after(prompt.ids.len())?);
    let options = &GenerateOptions { max_new_tokens: Some(most), ..options.clone() };
    model.reserve(prompt.ids.len() + most, options.beams).await?;
    let said = call.take_back();
    let mut stream = Stream::new(tokenizer, options, prompt.eos, call, emit);
    let Some(said) = say_again(&said, options, &mut stream)? else { return Ok(stream.finish()) };
    let done = if options.beams > 1 {
        let logits = &mut stream.answer.logits;
        match cancel.guard(beam_search(model, prompt, options, cancel, logits, after_prefill)).await {
            Ok(answer) => stream.push_all(&answer),
            Err(error) => Err(error),
        }
    } else if options.temperature > 0.0 {
        cancel.guard(sampled(model, prompt, &said, options, after_prefill, &mut stream)).await
    } else {
        cancel.guard(greedy(model, prompt, &said, options, after_prefill, &mut stream)).await
    };
    // An answer that ended or was cancelled may leave steps behind that were submitted ahead.
    model.session_mut().cancel_pending();
    done?;
    Ok(stream.finish())
}

/// Takes the likeliest token each time. The token stays on the device, so steps are submitted before it is known here.
async fn greedy(
    model: &mut AutoRegressive,
    prompt: Prompt<'_>,
    said: &[u32],
    options: &GenerateOptions,
    after_prefill: &mut dyn FnMut(),
    stream: &mut Stream<'_>,
) -> Result<()> {
    let mut grammar = prompt.grammar.map(Grammar::begin);
    let mut flight: VecDeque<Submitted> = VecDeque::new();
    let known = said.len().saturating_sub(1);
    let (mut choice, _) = model.prefill(prompt.ids, &said[..known], PassOutput::Greedy).await?.result().await?;
    if options.keep_logits {
        stream.answer.logits = model.logits().await?;
    }
    let mut last = match said.split_last() {
        Some((&last, known)) => {
            model.set_next(last)?;
            known.iter().for_each(|&id| follow(&mut grammar, stream, id));
            after_prefill();
            last
        }
        None => {
            // Overrides even a model that says there is nothing, see there. Read back once an answer, not once a token.
            if let Some(grammar) = prompt.grammar
                && let Some((id, logit)) = grammar.first(&model.logits().await?, choice.logsumexp)
            {
                (choice.id, choice.logit) = (id, logit);
                model.set_next(id)?;
            }
            after_prefill();
            if stream.push(choice.id, choice.logit - choice.logsumexp)? {
                return Ok(());
            }
            choice.id
        }
    };
    let (behind, steps) = (prompt.ids.len() + known, options.most_tokens() - known - 1);
    let ahead = if matches!(model.session().player(), Player::Gpu(_)) { AHEAD } else { 1 };
    let mut submitted = 0;
    for _ in 0..steps {
        // What is in flight was allowed when it was submitted; only what does not depend on it may follow.
        follow(&mut grammar, stream, last);
        let allowed = grammar.as_ref().map(|grammar| grammar.ahead());
        let ahead = allowed.as_ref().map_or(ahead, |allowed| allowed.len().min(ahead));
        while submitted < steps && flight.len() < ahead {
            let ids = allowed.as_ref().and_then(|allowed| allowed.get(flight.len()).cloned().flatten());
            flight.push_back(model.decode(behind + submitted, PassOutput::Greedy, ids).await?);
            submitted += 1;
        }
        let Some(next) = flight.pop_front() else { break };
        let (choice, _) = next.result().await?;
        last = choice.id;
        if stream.push(choice.id, choice.logit - choice.logsumexp)? {
            break;
        }
    }
    Ok(())
}

/// Draws every token on the host from candidates that the device sorted, or, where a grammar leaves only some, from
/// those. Whether there is a first box is left to the draw.
async fn sampled(
    model: &mut AutoRegressive,
    prompt: Prompt<'_>,
    said: &[u32],
    options: &GenerateOptions,
    after_prefill: &mut dyn FnMut(),
    stream: &mut Stream<'_>,
) -> Result<()> {
    let mut rng = Rng::new(options.seed);
    let mut grammar = prompt.grammar.map(Grammar::begin);
    let output = PassOutput::TopK(MAX_TOP_K);
    for &id in said {
        follow(&mut grammar, stream, id);
        // Each token took one draw.
        rng.uniform();
    }
    let mut pass = model.prefill(prompt.ids, said, output).await?;
    for n in said.len()..options.most_tokens() {
        let (choice, top) = pass.result().await?;
        if n == said.len() {
            if options.keep_logits {
                stream.answer.logits = model.logits().await?;
            }
            after_prefill();
        }
        let allowed = grammar.as_ref().and_then(|grammar| grammar.ahead().into_iter().next().flatten());
        let (candidates, logsumexp) = match allowed {
            Some(ids) => {
                let candidates = candidates(&model.logits().await?, ids);
                let logsumexp = logsumexp(&candidates);
                (candidates, logsumexp)
            }
            None if options.top_k == 0 => (candidates(&model.logits().await?, 0..usize::MAX), choice.logsumexp),
            None => (top.into_iter().map(|(id, logit)| Candidate { id, logit }).collect(), choice.logsumexp),
        };
        let drawn = sample(&candidates, options.temperature, options.top_k, options.top_p, &mut rng);
        let drawn = drawn.unwrap_or(Candidate { id: choice.id, logit: choice.logit });
        if stream.push(drawn.id, drawn.logit - logsumexp)? || n + 1 == options.most_tokens() {
            break;
        }
        follow(&mut grammar, stream, drawn.id);
        model.set_next(drawn.id)?;
        pass = model.decode(prompt.ids.len() + n, output, None).await?;
    }
    Ok(())
}

/// Gives what was said before once more; its tokens, or none if they were the whole answer.
///
/// Where logits at the end of the prompt are to be kept, everything is chosen anew.
fn say_again(said: &[Taken], options: &GenerateOptions, stream: &mut Stream<'_>) -> Result<Option<Vec<u32>>> {
    let said = if options.keep_logits { &[] } else { said };
    for &(token, logprob) in said {
        if stream.push(token, logprob)? {
            return Ok(None);
        }
    }
    Ok(Some(said.iter().map(|&(token, _)| token).collect()))
}

/// Has a grammar take note of a token.
fn follow(grammar: &mut Option<Box<dyn Grammar>>, stream: &Stream<'_>, id: u32) {
    if let Some(grammar) = grammar {
        grammar.push(id, &stream.tokenizer.decode(&[id]));
    }
}

/// Those of all logits whose ids are in a range, by falling logit.
fn candidates(logits: &[f32], ids: Range<usize>) -> Vec<Candidate> {
    let all = logits.iter().enumerate().map(|(id, &logit)| (id, Candidate { id: id as u32, logit }));
    let mut kept: Vec<Candidate> = all.filter(|(id, _)| ids.contains(id)).map(|(_, candidate)| candidate).collect();
    kept.sort_by(|a, b| b.logit.total_cmp(&a.logit).then(a.id.cmp(&b.id)));
    kept
}

/// ln of the sum of exp of candidates by falling logit: as the device gives it where only their rows are multiplied.
fn logsumexp(candidates: &[Candidate]) -> f32 {
    let peak = candidates.first().map_or(0.0, |best| f64::from(best.logit));
    let sum: f64 = candidates.iter().map(|candidate| (f64::from(candidate.logit) - peak).exp()).sum();
    (peak + sum.ln()) as f32
}

/// Turns tokens into text as they come and watches for what ends the answer.
struct Stream<'a> {
    tokenizer: &'a Tokenizer,
    decoder: crate::text::StreamDecoder<'a>,
    stop: StopTexts<'a>,
    eos: &'a [u32],
    max_new_tokens: usize,
    call: &'a Call,
    emit: &'a mut dyn FnMut(&str),
    answer: Generation,
}

impl<'a> Stream<'a> {
    fn new(
        tokenizer: &'a Tokenizer,
        options: &'a GenerateOptions,
        eos: &'a [u32],
        call: &'a Call,
        emit: &'a mut dyn FnMut(&str),
    ) -> Self {
        Self {
            tokenizer,
            decoder: tokenizer.stream(),
            stop: StopTexts::new(&options.stop),
            eos,
            max_new_tokens: options.most_tokens(),
            call,
            emit,
            answer: Generation {
                text: String::new(),
                tokens: vec![],
                logprobs: vec![],
                finish: Finish::Length,
                logits: vec![],
            },
        }
    }

    /// Takes the next token. True if it ended the answer.
    ///
    /// Checks for cancellation, since a player that never waits gives nobody else a chance to.
    fn push(&mut self, token: u32, logprob: f32) -> Result<bool> {
        self.call.cancel.check()?;
        self.call.say((token, logprob));
        self.answer.tokens.push(token);
        self.answer.logprobs.push(logprob);
        if self.eos.contains(&token) {
            self.answer.finish = Finish::Eos;
            return Ok(true);
        }
        let piece = self.decoder.push(token);
        let released = self.stop.push(&piece);
        self.give(&released.text);
        if released.stopped {
            self.answer.finish = Finish::Stop;
            self.stop = StopTexts::new(&[]);
        }
        Ok(released.stopped || self.answer.tokens.len() >= self.max_new_tokens)
    }

    /// Takes a whole answer.
    fn push_all(&mut self, answer: &Hypothesis) -> Result<()> {
        for (&token, &logprob) in answer.tokens.iter().zip(&answer.logprobs) {
            if self.push(token, logprob)? {
                break;
            }
        }
        Ok(())
    }

    fn give(&mut self, text: &str) {
        if !text.is_empty() {
            self.answer.text.push_str(text);
            (self.emit)(text);
        }
    }

    fn finish(mut self) -> Generation {
        if self.answer.finish != Finish::Stop {
            let tail = self.decoder.finish();
            let released = self.stop.push(&tail);
            self.give(&released.text);
            if released.stopped {
                self.answer.finish = Finish::Stop;
            } else {
                let held = std::mem::replace(&mut self.stop, StopTexts::new(&[])).finish();
                self.give(&held);
            }
        }
        self.answer
    }
}
