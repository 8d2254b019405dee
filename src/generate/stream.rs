use super::beam::Hypothesis;
use super::call::Call;
use super::stop::StopTexts;
use super::{Finish, GenerateOptions, Generation};
use crate::base::Result;
use crate::models::Grammar;
use crate::text::{StreamDecoder, Tokenizer};

/// Turns tokens into text as they come and watches for what ends the answer.
pub(super) struct Stream<'a> {
    tokenizer: &'a Tokenizer,
    decoder: StreamDecoder<'a>,
    stop: StopTexts<'a>,
    eos: &'a [u32],
    max_new_tokens: usize,
    call: &'a Call,
    emit: &'a mut dyn FnMut(&str),
    pub answer: Generation,
}

impl<'a> Stream<'a> {
    pub fn new(
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
    pub fn push(&mut self, token: u32, logprob: f32) -> Result<bool> {
        self.call.cancel.check()?;
        self.call.record((token, logprob));
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
    pub fn push_all(&mut self, answer: &Hypothesis) -> Result<()> {
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

    pub fn finish(mut self) -> Generation {
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

/// Has a grammar take note of a token.
pub(super) fn advance_grammar(grammar: &mut Option<Box<dyn Grammar>>, stream: &Stream<'_>, id: u32) {
    if let Some(grammar) = grammar {
        grammar.push(id, &stream.tokenizer.decode(&[id]));
    }
}
