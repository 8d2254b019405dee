use std::collections::VecDeque;

use super::GenerateOptions;
use super::prompt::Prompt;
use super::stream::{Stream, advance_grammar};
use crate::base::Result;
use crate::models::Grammar;
use crate::session::{AutoRegressive, PassOutput, Submitted};

/// Takes the likeliest token each time. The token stays on the device, so steps are submitted before it is known here.
pub(super) async fn greedy(
    model: &mut AutoRegressive,
    prompt: Prompt<'_>,
    replayed: &[u32],
    options: &GenerateOptions,
    after_prefill: &mut dyn FnMut(),
    stream: &mut Stream<'_>,
) -> Result<()> {
    let mut grammar = prompt.grammar.map(Grammar::begin);
    let mut flight: VecDeque<Submitted> = VecDeque::new();
    let known = replayed.len().saturating_sub(1);
    let (mut choice, _) = model.prefill(prompt.ids, &replayed[..known], PassOutput::Greedy).await?.result().await?;
    if options.keep_logits {
        stream.answer.logits = model.logits().await?;
    }
    let mut last = match replayed.split_last() {
        Some((&last, known)) => {
            model.set_next(last)?;
            known.iter().for_each(|&id| advance_grammar(&mut grammar, stream, id));
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
    let ahead = model.session().player().plays_ahead();
    let mut submitted = 0;
    for _ in 0..steps {
        // What is in flight was allowed when it was submitted; only what does not depend on it may follow.
        advance_grammar(&mut grammar, stream, last);
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
