//! Tasks as calls: pictures and what is asked about them in, a typed result out.

use super::classify::cut_warning;
use super::model::Driver;
use super::{Answer, GenerateOptions, Mask, Model, Object, Outcome, Request, Rgb8, TaskResult};
use crate::base::{ErrorKind, LayerError, Remedy, Result};
use crate::generate::{Call, Finish, Generation};
use crate::models::{AnswerForm, Classify, ImagesOutput, Task};

/// A task that was given too few pictures, or too many.
#[derive(Debug, thiserror::Error)]
#[error("the number of pictures: {found} were given; {task} takes {takes}")]
struct PictureCount {
    task: &'static str,
    found: usize,
    takes: &'static str,
}

impl LayerError for PictureCount {
    fn kind(&self) -> ErrorKind {
        ErrorKind::BadArgument
    }

    fn remedy(&self) -> Remedy {
        "Compare the options with the package's types.".into()
    }
}

impl Model {
    /// Performs a task on pictures: on one, or for a prompt and for embeddings on any number. `emit` gets pieces of text
    /// as they become certain.
    ///
    /// No labels to find are no question: nothing is run, and nothing found.
    ///
    /// # Errors
    /// A task that the model cannot do, options out of range, a cancelled token, a failing device.
    pub async fn run_task(
        &mut self,
        pictures: &[Rgb8],
        task: &Task,
        options: &GenerateOptions,
        call: &Call,
        emit: &mut dyn FnMut(&str),
    ) -> Result<TaskResult> {
        let count = |takes| PictureCount { task: task.name(), found: pictures.len(), takes };
        let outcome = match (task, pictures) {
            (Task::Prompt { .. }, _) => self.words(pictures, task, options, call, emit).await?,
            (Task::Embed { texts }, _) if pictures.is_empty() && texts.is_empty() => {
                return Err(count("a picture or a text at least").into());
            }
            (Task::Embed { texts }, _) => self.embed(pictures, texts, call).await?,
            (Task::Features, [picture]) => self.features(picture, call).await?,
            (Task::Classify(labels), [picture]) => self.classify(picture, labels, call).await?,
            (_, [_]) if task.names_nothing() => {
                options.validate()?;
                Outcome::Objects { answer: nothing(), objects: Vec::new(), dropped: 0 }
            }
            (_, [_]) => self.words(pictures, task, options, call, emit).await?,
            _ => return Err(count("one").into()),
        };
        call.forget();
        Ok(TaskResult { outcome, memory: self.memory() })
    }

    async fn embed(&mut self, pictures: &[Rgb8], texts: &[String], call: &Call) -> Result<Outcome> {
        let model = self.driver.encoding("embed")?;
        let mut rows = model.pictures(pictures, &self.preprocessor, ImagesOutput::Embedding, &call.cancel).await?;
        let mut warnings = Vec::new();
        if !texts.is_empty() {
            let embedded = model.texts(texts, &call.cancel).await?;
            warnings.extend(embedded.cut.iter().map(|&n| cut_warning(&texts[n])));
            rows.extend(embedded.rows);
        }
        let (count, width) = (rows.len(), rows.first().map_or(0, Vec::len));
        Ok(Outcome::Embeddings { count, width, values: rows.concat(), warnings })
    }

    async fn features(&mut self, picture: &Rgb8, call: &Call) -> Result<Outcome> {
        let model = self.driver.encoding("features")?;
        let picture = std::slice::from_ref(picture);
        let all = model.pictures(picture, &self.preprocessor, ImagesOutput::Features, &call.cancel).await?;
        let values = all.concat();
        let width = model.encoder().encoders().image.as_ref().map_or(1, |image| image.width);
        Ok(Outcome::Features { rows: values.len() / width.max(1), width, values })
    }

    async fn classify(&mut self, picture: &Rgb8, task: &Classify, call: &Call) -> Result<Outcome> {
        task.validate()?;
        let (labels, warnings) = match &mut self.driver {
            Driver::Encoding(model) => model.classify(picture, &self.preprocessor, task, &call.cancel).await?,
            Driver::Generative(model) => {
                let tools = (&self.preprocessor, self.now_ms);
                (model.classify(picture, tools, task, &call.cancel).await?, Vec::new())
            }
        };
        Ok(Outcome::Labels { labels, warnings })
    }

    async fn words(
        &mut self,
        pictures: &[Rgb8],
        task: &Task,
        options: &GenerateOptions,
        call: &Call,
        emit: &mut dyn FnMut(&str),
    ) -> Result<Outcome> {
        let model = self.driver.writer(task.name())?;
        let recipe = model.recipe(task, options.constrained)?;
        let most = options.max_new_tokens.unwrap_or(recipe.usual_tokens);
        let options = &GenerateOptions { max_new_tokens: Some(most), ..options.clone() };
        let request = Request { pictures, prompt: &recipe.prompt, options };
        let tools = (&self.preprocessor, self.now_ms);
        let answer = model.answer(request, tools, recipe.grammar.as_deref(), call, emit).await?;
        match (recipe.answer, pictures) {
            (AnswerForm::Objects, [picture]) => self.objects_of(answer, picture, call).await,
            _ => Ok(Outcome::Text { answer }),
        }
    }

    /// What an answer places in a picture, with masks where the model can decode them.
    async fn objects_of(&mut self, answer: Answer, picture: &Rgb8, call: &Call) -> Result<Outcome> {
        let size = [picture.width(), picture.height()];
        let found = self.driver.writer("detect")?.objects(&answer.generation, size);
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
