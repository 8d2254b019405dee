use super::beam::beam_search;
use super::call::{Call, ScoredToken};
use super::greedy::greedy;
use super::prompt::Prompt;
use super::sampled::sampled;
use super::stream::Stream;
use super::{GenerateOptions, Generation};
use crate::base::Result;
use crate::session::AutoRegressive;
use crate::text::Tokenizer;

/// Continues a prompt, at most to the last position that the model was trained on; `emit` gets pieces of text as they
/// become certain.
///
/// `after_prefill` is called once the first token is known, for timings. The tokens that `call` took before, on a
/// device that was lost, are replayed as they were, and read in the same pass as the prompt; a search by beams, which
/// records nothing before its end, begins anew.
///
/// # Errors
/// Options out of range, a prompt longer than the model was trained on or than memory holds, a cancelled token, or a
/// failing device.
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
    let transcript = call.drain();
    let mut stream = Stream::new(tokenizer, options, prompt.eos, call, emit);
    let Some(replayed) = replay(&transcript, options, &mut stream)? else { return Ok(stream.finish()) };
    let done = if options.beams > 1 {
        let logits = &mut stream.answer.logits;
        match cancel.guard(beam_search(model, prompt, options, cancel, logits, after_prefill)).await {
            Ok(answer) => stream.push_all(&answer),
            Err(error) => Err(error),
        }
    } else if options.temperature > 0.0 {
        cancel.guard(sampled(model, prompt, &replayed, options, after_prefill, &mut stream)).await
    } else {
        cancel.guard(greedy(model, prompt, &replayed, options, after_prefill, &mut stream)).await
    };
    // An answer that ended or was cancelled may leave steps behind that were submitted ahead.
    model.session_mut().cancel_pending();
    done?;
    Ok(stream.finish())
}

/// Streams the tokens that a call took before its device was lost; their ids, or none if they were the whole answer.
///
/// Where logits at the end of the prompt are to be kept, everything is chosen anew.
fn replay(transcript: &[ScoredToken], options: &GenerateOptions, stream: &mut Stream<'_>) -> Result<Option<Vec<u32>>> {
    let transcript = if options.keep_logits { &[] } else { transcript };
    for &(token, logprob) in transcript {
        if stream.push(token, logprob)? {
            return Ok(None);
        }
    }
    Ok(Some(transcript.iter().map(|&(token, _)| token).collect()))
}
