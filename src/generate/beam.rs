use super::GenerateOptions;
use super::prompt::Prompt;
use crate::base::Result;
use crate::session::{AutoRegressive, CancelToken, PassOutput};

/// Tokens with their log-probabilities.
#[derive(Debug, Clone, Default)]
pub(super) struct Hypothesis {
    pub tokens: Vec<u32>,
    pub logprobs: Vec<f32>,
    /// Sum of the log-probabilities.
    sum: f64,
}

impl Hypothesis {
    fn extended(&self, token: u32, logprob: f32) -> Self {
        let mut next = self.clone();
        next.tokens.push(token);
        next.logprobs.push(logprob);
        next.sum += f64::from(logprob);
        next
    }

    /// Mean log-probability, the end token counted: a length penalty of 1.
    fn score(&self) -> f64 {
        self.sum / self.tokens.len().max(1) as f64
    }
}

/// A continuation of one beam.
struct Continuation {
    beam: usize,
    token: u32,
    logprob: f32,
    sum: f64,
}

/// Beam search by transformers' rules with a length penalty of 1 and no early stopping.
///
/// `logits` gets those at the end of the prompt, if they are to be kept. Every beam owns a slot of the KV cache; a beam that goes on in two copies its rows of the answer to a free slot.
pub(super) async fn beam_search(
    model: &mut AutoRegressive,
    prompt: Prompt<'_>,
    options: &GenerateOptions,
    cancel: &CancelToken,
    logits: &mut Vec<f32>,
    after_prefill: &mut dyn FnMut(),
) -> Result<Hypothesis> {
    let (width, prefix) = (options.beams, prompt.ids.len());
    let breadth = (1 + prompt.eos.len().max(1)) * width;
    let output = PassOutput::TopK(breadth.min(super::MAX_TOP_K));
    let mut finished: Vec<Hypothesis> = Vec::new();
    let mut beams = vec![Hypothesis::default()];
    let (choice, top) = model.prefill(prompt.ids, &[], output).await?.result().await?;
    if options.keep_logits {
        *logits = model.logits().await?;
    }
    after_prefill();
    let mut continuations = continue_beam(0, &beams[0], &top, choice.logsumexp);
    for slot in 1..width {
        model.copy_slot(0, slot, 0).await?;
    }
    let mut slots = vec![0];
    for length in 1..=options.max_new_tokens {
        continuations.sort_by(|a, b| b.sum.total_cmp(&a.sum));
        continuations.truncate(breadth);
        let mut running: Vec<(usize, Hypothesis)> = Vec::new();
        for (rank, c) in continuations.iter().enumerate() {
            let next = beams[c.beam].extended(c.token, c.logprob);
            let ended = prompt.eos.contains(&c.token) || length == options.max_new_tokens;
            if !ended && running.len() < width {
                running.push((c.beam, next));
            } else if ended && rank < width {
                finished.push(next);
            }
        }
        finished.sort_by(|a, b| b.score().total_cmp(&a.score()));
        finished.truncate(width);
        let best_running = running.iter().map(|(_, h)| h.score()).fold(f64::NEG_INFINITY, f64::max);
        let settled = finished.len() == width && finished.last().is_some_and(|worst| best_running <= worst.score());
        if running.is_empty() || settled {
            break;
        }
        slots = assign_slots(model, &running, &slots, width, prefix).await?;
        beams = running.into_iter().map(|(_, h)| h).collect();
        continuations = Vec::with_capacity(breadth * beams.len());
        for (i, beam) in beams.iter().enumerate() {
            let Some(&token) = beam.tokens.last() else { continue };
            cancel.check()?;
            model.set_next(token)?;
            let pass = model.decode(prefix + length - 1, slots[i], output, None).await?;
            let (choice, top) = pass.result().await?;
            continuations.extend(continue_beam(i, beam, &top, choice.logsumexp));
        }
    }
    Ok(finished.into_iter().next().or_else(|| beams.into_iter().next()).unwrap_or_default())
}

fn continue_beam(beam: usize, hypothesis: &Hypothesis, top: &[(u32, f32)], logsumexp: f32) -> Vec<Continuation> {
    let continued = top.iter().map(|&(token, logit)| {
        let logprob = logit - logsumexp;
        Continuation { beam, token, logprob, sum: hypothesis.sum + f64::from(logprob) }
    });
    continued.collect()
}

/// Gives every running beam a slot: the first child of a beam keeps its parent's, further ones get copies of the
/// answer so far in free slots (the prefix is in every slot already).
async fn assign_slots(
    model: &mut AutoRegressive,
    running: &[(usize, Hypothesis)],
    slots: &[usize],
    width: usize,
    prefix: usize,
) -> Result<Vec<usize>> {
    let mut taken: Vec<usize> = running.iter().map(|(parent, _)| slots[*parent]).collect();
    taken.sort_unstable();
    taken.dedup();
    let mut free = (0..width).filter(|slot| !taken.contains(slot)).collect::<Vec<_>>().into_iter();
    let mut kept: Vec<usize> = Vec::new();
    let mut assigned = Vec::with_capacity(running.len());
    for (parent, _) in running {
        let from = slots[*parent];
        if !kept.contains(&from) {
            kept.push(from);
            assigned.push(from);
            continue;
        }
        let to = free.next().unwrap_or(from);
        model.copy_slot(from, to, prefix).await?;
        assigned.push(to);
    }
    Ok(assigned)
}
