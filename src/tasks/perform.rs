//! PaliGemma's tasks as calls: a picture and what is wanted in, a typed answer out.

use super::masks::Mask;
use super::objects::{Found, Object, objects};
use super::prompts::Task;
use super::{Answer, GenerateOptions, Model, Request, Rgb8};
use crate::base::Result;
use crate::generate::{Call, Finish, Generation};

/// What a task came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Performed {
    /// The text and its tokens.
    pub answer: Answer,
    /// What was detected or segmented; empty for other tasks.
    pub objects: Vec<Object>,
    /// Malformed objects in the answer, which were left out.
    pub dropped: usize,
}

impl Model {
    /// Performs a task on a picture; `emit` gets pieces of text as they become certain.
    ///
    /// No labels are no question: nothing is run, and nothing found.
    ///
    /// # Errors
    /// A task that is no prompt, options out of range, a cancelled token, a failing device.
    pub async fn perform(
        &mut self,
        picture: &Rgb8,
        task: Task<'_>,
        options: &GenerateOptions,
        call: &Call,
        emit: &mut dyn FnMut(&str),
    ) -> Result<Performed> {
        if let Task::Detect([]) | Task::Segment([]) = task {
            options.validate()?;
            return Ok(Performed { answer: nothing(), objects: Vec::new(), dropped: 0 });
        }
        let prompt = task.prompt()?;
        let request = Request { pictures: std::slice::from_ref(picture), prompt: &prompt, options };
        let grammar = match task {
            Task::Detect(_) if options.constrained => self.grammar(false),
            Task::Segment(_) if options.constrained => self.grammar(true),
            _ => None,
        };
        let answer = self.answer(request, grammar.as_ref(), call, emit).await?;
        let Generation { tokens, logprobs, .. } = &answer.generation;
        let mut found = match task {
            Task::Detect(_) | Task::Segment(_) => {
                objects(self.tokenizer(), tokens, logprobs, [picture.width(), picture.height()])
            }
            _ => Found::default(),
        };
        if let Some(even) = self.even_box_logprob() {
            for object in &mut found.objects {
                object.score = 1.0 / (1.0 + (even - 4.0 * object.score.ln()).exp());
            }
        }
        if self.decodes_masks() {
            for object in &mut found.objects {
                let Some(codes) = object.codes else { continue };
                let values = call.cancel.guard(self.decode_mask(&codes)).await?;
                object.mask = Some(Mask::paste(&values, &object.bounds, [picture.width(), picture.height()]));
            }
        }
        call.forget();
        Ok(Performed { objects: found.objects, dropped: found.dropped, answer })
    }
}

fn nothing() -> Answer {
    let (text, tokens, logprobs, logits) = Default::default();
    Answer {
        generation: Generation { text, tokens, logprobs, finish: Finish::Eos, logits },
        prompt_tokens: Vec::new(),
        timings: Default::default(),
    }
}
