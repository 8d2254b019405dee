//! Tasks as calls: pictures and what is asked about them in, a typed result out.

use super::{Answer, GenerateOptions, Mask, Model, Object, Outcome, Request, Rgb8, TaskResult};
use crate::base::{ErrorKind, LayerError, Remedy, Result};
use crate::generate::{Call, Finish, Generation};
use crate::models::{AnswerForm, Task};

/// A task that was given no picture, or several.
#[derive(Debug, thiserror::Error)]
#[error("the number of pictures: {0} were given; a task takes one")]
struct PictureCount(usize);

impl LayerError for PictureCount {
    fn kind(&self) -> ErrorKind {
        ErrorKind::BadArgument
    }

    fn remedy(&self) -> Remedy {
        "Compare the options with the package's types.".into()
    }
}

impl Model {
    /// Performs a task on pictures: on one, or for a prompt on any number. `emit` gets pieces of text as they become
    /// certain.
    ///
    /// No labels are no question: nothing is run, and nothing found.
    ///
    /// # Errors
    /// A task that is no prompt, options out of range, a cancelled token, a failing device.
    pub async fn run_task(
        &mut self,
        pictures: &[Rgb8],
        task: &Task,
        options: &GenerateOptions,
        call: &Call,
        emit: &mut dyn FnMut(&str),
    ) -> Result<TaskResult> {
        let outcome = match (task, pictures) {
            (Task::Prompt { .. }, _) => self.outcome(pictures, task, options, call, emit).await?,
            (_, [_]) if task.names_nothing() => {
                options.validate()?;
                Outcome::Objects { answer: nothing(), objects: Vec::new(), dropped: 0 }
            }
            (_, [_]) => self.outcome(pictures, task, options, call, emit).await?,
            _ => return Err(PictureCount(pictures.len()).into()),
        };
        call.forget();
        Ok(TaskResult { outcome, memory: self.memory() })
    }

    async fn outcome(
        &mut self,
        pictures: &[Rgb8],
        task: &Task,
        options: &GenerateOptions,
        call: &Call,
        emit: &mut dyn FnMut(&str),
    ) -> Result<Outcome> {
        let recipe = self.recipe(task, options.constrained)?;
        let most = options.max_new_tokens.unwrap_or(recipe.usual_tokens);
        let options = &GenerateOptions { max_new_tokens: Some(most), ..options.clone() };
        let request = Request { pictures, prompt: &recipe.prompt, options };
        let answer = self.answer(request, recipe.grammar.as_deref(), call, emit).await?;
        match (recipe.answer, pictures) {
            (AnswerForm::Objects, [picture]) => self.objects_of(answer, picture, call).await,
            _ => Ok(Outcome::Text { answer }),
        }
    }

    /// What an answer places in a picture, with masks where the model can decode them.
    async fn objects_of(&mut self, answer: Answer, picture: &Rgb8, call: &Call) -> Result<Outcome> {
        let size = [picture.width(), picture.height()];
        let found = self.objects(&answer.generation, size);
        let mut objects: Vec<Object> = found.objects.into_iter().map(Object::from).collect();
        if self.decodes_masks() {
            for object in &mut objects {
                let Some(codes) = object.codes else { continue };
                let values = call.cancel.guard(self.decode_mask(&codes)).await?;
                object.mask = Some(Mask::paste(&values, &object.bounds, size));
            }
        }
        Ok(Outcome::Objects { answer, objects, dropped: found.dropped })
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
