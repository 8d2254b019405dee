use crate::base::Result;
use crate::generate::{Call, GenerateOptions, Generation, Prompt, generate};
use crate::image::{Preprocessor, Rgb8};
use crate::models::{Classify, Detections, Grammar, Language, Recipe, Task};
use crate::session::{AutoRegressive, CancelToken};

use super::classify::{LabelError, LabelScore, best_first, sigmoids, softmax};
use super::{Answer, Request, Timings};

/// A model that writes: its driver, what it reads and writes, and the pictures that it has seen.
pub(super) struct Generative {
    driver: AutoRegressive,
    language: Box<dyn Language>,
    /// Ids that end an answer.
    eos: Vec<u32>,
    /// What the pictures on the device were encoded from, so that another question about them need not wait again.
    seen: Vec<Vec<f32>>,
}

/// Top bit of an id: the rest is a row of the pictures' features.
const FEATURE: u32 = 1 << 31;

impl Generative {
    /// What it can do.
    pub const TASKS: &[&str] =
        &["prompt", "caption", "describe", "ask", "ocr", "detect", "segment", "classify", "score"];

    pub fn new(driver: AutoRegressive, language: Box<dyn Language>, eos: Vec<u32>) -> Self {
        Self { driver, language, eos, seen: Vec::new() }
    }

    pub fn driver(&self) -> &AutoRegressive {
        &self.driver
    }

    pub fn driver_mut(&mut self) -> &mut AutoRegressive {
        &mut self.driver
    }

    pub fn into_driver(self) -> AutoRegressive {
        self.driver
    }

    pub fn language(&self) -> &dyn Language {
        self.language.as_ref()
    }

    /// Answers a request, keeping to a grammar; `emit` gets pieces of text as they become certain.
    pub async fn answer(
        &mut self,
        request: Request<'_>,
        (preprocessor, now_ms): (&Preprocessor, fn() -> f64),
        grammar: Option<&dyn Grammar>,
        call: &Call,
        emit: &mut dyn FnMut(&str),
    ) -> Result<Answer> {
        request.options.validate()?;
        let mut timings = Timings::default();
        let (ids, prompt_tokens) =
            self.encode_images(&request, (preprocessor, now_ms), &call.cancel, &mut timings).await?;
        let start = now_ms();
        let mut first = start;
        let prompt = Prompt { ids: &ids, eos: &self.eos, grammar };
        let mut after_prefill = || first = now_ms();
        let tokenizer = self.language.tokenizer();
        let generation =
            generate(&mut self.driver, tokenizer, prompt, request.options, call, &mut after_prefill, emit).await?;
        timings.prefill_ms = first - start;
        let further = generation.tokens.len().saturating_sub(1);
        if further > 0 {
            timings.decode_ms_per_token = (now_ms() - first) / further as f64;
        }
        Ok(Answer { generation, prompt_tokens, timings })
    }

    /// Log-probability of every token of a given answer, in one pass.
    pub async fn score(
        &mut self,
        request: Request<'_>,
        tools: (&Preprocessor, fn() -> f64),
        answer: &[u32],
    ) -> Result<Vec<f32>> {
        let (ids, _) = self.encode_images(&request, tools, &CancelToken::default(), &mut Timings::default()).await?;
        self.driver.score(&ids, answer).await
    }

    /// Encodes one picture, prepared, ahead of any question about it.
    pub async fn encode_ahead(&mut self, pixels: Vec<f32>) -> Result<()> {
        self.seen.clear();
        self.driver.encode(&[&pixels]).await?;
        self.seen.push(pixels);
        Ok(())
    }

    /// Encodes the pictures, unless they are those of the call before: the vision encoder does not see the
    /// prompt. The whole prefix, and the prompt's part of it.
    async fn encode_images(
        &mut self,
        request: &Request<'_>,
        (preprocessor, now_ms): (&Preprocessor, fn() -> f64),
        cancel: &CancelToken,
        timings: &mut Timings,
    ) -> Result<(Vec<u32>, Vec<u32>)> {
        let prompt = self.language.prompt(request.prompt)?;
        let places = request.pictures.len() * self.driver.image_tokens();
        // Encoding takes longest: not in vain.
        self.driver.positions_after(places + prompt.len())?;
        let start = now_ms();
        let mut pixels = Vec::with_capacity(request.pictures.len());
        for picture in request.pictures {
            cancel.check()?;
            pixels.push(preprocessor.apply(picture));
        }
        let prepared = now_ms();
        if pixels != self.seen {
            self.seen.clear();
            let rows: Vec<&[f32]> = pixels.iter().map(Vec::as_slice).collect();
            cancel.guard(self.driver.encode(&rows)).await?;
            self.seen = pixels;
        }
        timings.image_ms = prepared - start;
        timings.encode_ms = now_ms() - prepared;
        let ids = (0..places as u32).map(|row| FEATURE | row).chain(prompt.iter().copied()).collect();
        Ok((ids, prompt))
    }

    /// The labels of a picture, best first: each is scored as the answer to one question.
    pub async fn classify(
        &mut self,
        picture: &Rgb8,
        tools: (&Preprocessor, fn() -> f64),
        task: &Classify,
        cancel: &CancelToken,
    ) -> Result<Vec<LabelScore>> {
        if task.labels.is_empty() {
            return Err(LabelError::None(self.driver.session().architecture().name()).into());
        }
        let recipe = self.recipe(&Task::Classify(task.clone()), false)?;
        let (pictures, options) = (std::slice::from_ref(picture), &GenerateOptions::default());
        let request = Request { pictures, prompt: &recipe.prompt, options };
        let (prefix, _) = self.encode_images(&request, tools, cancel, &mut Timings::default()).await?;
        let tokenizer = self.language.tokenizer();
        let end = self.eos.first().copied();
        let answers: Vec<Vec<u32>> =
            task.labels.iter().map(|label| tokenizer.encode(label).into_iter().chain(end).collect()).collect();
        let scores = cancel.guard(self.driver.score_each(&prefix, &answers)).await?;
        let logits: Vec<f32> = scores.iter().map(|answer| answer.iter().sum()).collect();
        let scores = if task.multi { sigmoids(&logits) } else { softmax(&logits) };
        let told =
            task.labels.iter().zip(scores).zip(logits).map(|((label, score), logit)| (label.clone(), score, logit));
        Ok(best_first(told, task.top_k))
    }

    /// How the model goes about a task.
    pub fn recipe(&self, task: &Task, constrained: bool) -> Result<Recipe> {
        self.language.recipe(task, &self.eos, constrained)
    }

    /// What an answer's tokens place in a picture of `[width, height]` pixels.
    pub fn objects(&self, answer: &Generation, size: [usize; 2]) -> Detections {
        self.language.objects(&answer.tokens, &answer.logprobs, size)
    }
}
