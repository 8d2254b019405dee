use super::GenerateOptions;
use super::prompt::Prompt;
use crate::base::{Result, sort_by};
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
/// `logits` gets those at the end of the prompt, if they are to be kept. Every beam owns a slot of the KV cache, and
/// all beams decode in one pass; a beam that goes on in two has its rows of the answer copied to a free slot.
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
    model.prepare_each(output).await?;
    let (choice, top) = model.prefill(prompt.ids, &[], output).await?.result().await?;
    if options.keep_logits {
        *logits = model.logits().await?;
    }
    after_prefill();
    let mut continuations = continue_beam(0, &beams[0], &top, choice.logsumexp);
    model.gather_slots(&vec![0; width], 0..prefix).await?;
    let mut slots = vec![0];
    for length in 1..=options.most_tokens() {
        sort_by(&mut continuations, |a, b| b.sum.total_cmp(&a.sum));
        continuations.truncate(breadth);
        let mut running: Vec<(usize, Hypothesis)> = Vec::new();
        for (rank, c) in continuations.iter().enumerate() {
            let next = beams[c.beam].extended(c.token, c.logprob);
            let ended = prompt.eos.contains(&c.token) || length == options.most_tokens();
            if !ended && running.len() < width {
                running.push((c.beam, next));
            } else if ended && rank < width {
                finished.push(next);
            }
        }
        sort_by(&mut finished, |a, b| b.score().total_cmp(&a.score()));
        finished.truncate(width);
        let best_running = running.iter().map(|(_, h)| h.score()).fold(f64::NEG_INFINITY, f64::max);
        let settled = finished.len() == width && finished.last().is_some_and(|worst| best_running <= worst.score());
        if running.is_empty() || settled {
            break;
        }
        cancel.check()?;
        let (assigned, sources) = assign_slots(&running, &slots, width);
        let at = prefix + length - 1;
        // The prefix is in every slot already.
        if at > prefix && sources.iter().enumerate().any(|(slot, &source)| slot != source) {
            model.gather_slots(&sources, prefix..at).await?;
        }
        slots = assigned;
        beams = running.into_iter().map(|(_, h)| h).collect();
        let last = |hypothesis: &Hypothesis| hypothesis.tokens.last().copied().unwrap_or_default();
        let sequences: Vec<_> = slots.iter().zip(&beams).map(|(&slot, beam)| (slot, at, last(beam))).collect();
        let results = model.decode_each(&sequences, output).await?.results().await?;
        continuations = Vec::with_capacity(breadth * beams.len());
        for (i, (choice, top)) in results.iter().enumerate() {
            continuations.extend(continue_beam(i, &beams[i], top, choice.logsumexp));
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

/// Gives every running beam a slot: the first child of a beam keeps its parent's, further ones get a free slot. Also
/// the slot that each slot's rows of the answer must be copied from, which is its own where nothing is copied.
fn assign_slots(running: &[(usize, Hypothesis)], slots: &[usize], width: usize) -> (Vec<usize>, Vec<usize>) {
    let taken: Vec<usize> = running.iter().map(|(parent, _)| slots[*parent]).collect();
    let mut free = (0..width).filter(|slot| !taken.contains(slot));
    let (mut assigned, mut sources): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..width).collect());
    for (n, &from) in taken.iter().enumerate() {
        // There are as many slots as beams, so that one is free for every further child.
        let to = if taken[..n].contains(&from) { free.next().unwrap_or(from) } else { from };
        sources[to] = from;
        assigned.push(to);
    }
    (assigned, sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_children_keep_their_slot_and_further_ones_are_copied_to_free_ones() {
        let running: Vec<_> = [1, 1, 0, 1].map(|parent| (parent, Hypothesis::default())).into();
        // Beams 0 and 1 live in slots 2 and 0.
        let (assigned, sources) = assign_slots(&running, &[2, 0], 4);
        assert_eq!(assigned, [0, 1, 2, 3]);
        assert_eq!(sources, [0, 0, 2, 0]);
    }
}
