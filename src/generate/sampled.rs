use std::ops::Range;

use super::prompt::Prompt;
use super::rng::Rng;
use super::stream::{Stream, advance_grammar};
use super::{Candidate, GenerateOptions, MAX_TOP_K, sample};
use crate::base::{Result, sort_by};
use crate::models::Grammar;
use crate::session::{AutoRegressive, PassOutput};

/// Draws every token on the host from candidates that the device sorted, or, where a grammar leaves only some, from
/// those. Whether there is a first box is left to the draw.
pub(super) async fn sampled(
    model: &mut AutoRegressive,
    prompt: Prompt<'_>,
    replayed: &[u32],
    options: &GenerateOptions,
    after_prefill: &mut dyn FnMut(),
    stream: &mut Stream<'_>,
) -> Result<()> {
    let mut rng = Rng::new(options.seed);
    let mut grammar = prompt.grammar.map(Grammar::begin);
    let output = PassOutput::TopK(MAX_TOP_K);
    for &id in replayed {
        advance_grammar(&mut grammar, stream, id);
        // Each token took one draw.
        rng.uniform();
    }
    let mut pass = model.prefill(prompt.ids, replayed, output).await?;
    for n in replayed.len()..options.most_tokens() {
        let (choice, top) = pass.result().await?;
        if n == replayed.len() {
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
        advance_grammar(&mut grammar, stream, drawn.id);
        model.set_next(drawn.id)?;
        pass = model.decode(prompt.ids.len() + n, output, None).await?;
    }
    Ok(())
}

/// Those of all logits whose ids are in a range, by falling logit.
fn candidates(logits: &[f32], ids: Range<usize>) -> Vec<Candidate> {
    let all = logits.iter().enumerate().map(|(id, &logit)| (id, Candidate { id: id as u32, logit }));
    let mut kept: Vec<Candidate> = all.filter(|(id, _)| ids.contains(id)).map(|(_, candidate)| candidate).collect();
    sort_by(&mut kept, |a, b| b.logit.total_cmp(&a.logit).then(a.id.cmp(&b.id)));
    kept
}

/// ln of the sum of exp of candidates by falling logit: as the device gives it where only their rows are multiplied.
fn logsumexp(candidates: &[Candidate]) -> f32 {
    let peak = candidates.first().map_or(0.0, |best| f64::from(best.logit));
    let sum: f64 = candidates.iter().map(|candidate| (f64::from(candidate.logit) - peak).exp()).sum();
    (peak + sum.ln()) as f32
}
