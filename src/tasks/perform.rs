//! Tasks as calls: a picture and what is wanted in, a typed answer out.

use super::masks::Mask;
use super::{Answer, GenerateOptions, Model, Object, Request, Rgb8};
use crate::base::Result;
use crate::generate::{Call, Finish, Generation};
use crate::models::{AnswerForm, Detections, Task};

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
        let recipe = self.recipe(task, options.constrained)?;
        let request = Request { pictures: std::slice::from_ref(picture), prompt: &recipe.prompt, options };
        let answer = self.answer(request, recipe.grammar.as_deref(), call, emit).await?;
        let size = [picture.width(), picture.height()];
        let found = match recipe.answer {
            AnswerForm::Objects => self.objects(&answer.generation, size),
            AnswerForm::Text => Detections::default(),
        };
        let mut objects: Vec<Object> = found.objects.into_iter().map(Object::from).collect();
        if self.decodes_masks() {
            for object in &mut objects {
                let Some(codes) = object.codes else { continue };
                let values = call.cancel.guard(self.decode_mask(&codes)).await?;
                object.mask = Some(Mask::paste(&values, &object.bounds, size));
            }
        }
        call.forget();
        Ok(Performed { objects, dropped: found.dropped, answer })
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
