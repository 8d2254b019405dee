use serde::Serialize;

use crate::base::Result;
use crate::generate::{Call, GenerateOptions, Generation, Prompt, USUAL_TOKENS, generate};
use crate::image::{Preprocessor, Rgb8};
use crate::models::{Detections, Grammar, Language, MaskCodes, Recipe, Task};
use crate::session::{AutoRegressive, CancelToken, MemoryUse, Player, SessionOptions};
use crate::tensor::Dtype;
use crate::text::Tokenizer;

/// Tokens of an ordinary prompt after its picture: passes are padded, so that it need not be met exactly.
pub(super) const PROMPT_TOKENS: usize = 16;

/// How a model is put on a player.
pub type ModelOptions = SessionOptions;

/// What is asked of a model.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Pictures, in order; their tokens come before the prompt.
    pub pictures: &'a [Rgb8],
    /// Such as `caption en`; what else the architecture wants in a prompt is added.
    pub prompt: &'a str,
    /// How to generate.
    pub options: &'a GenerateOptions,
}

/// What a model answers in words.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(any(test, target_arch = "wasm32"), serde(rename_all = "camelCase"))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(rename = "Generated"))]
pub struct Answer {
    /// Text, tokens and why it ended.
    pub generation: Generation,
    /// The ids after the picture's own slots.
    pub prompt_tokens: Vec<u32>,
    /// Where the time went.
    pub timings: Timings,
}

/// Where the time of an answer went, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[cfg_attr(any(test, target_arch = "wasm32"), serde(rename_all = "camelCase"))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(rename = "AnswerTimings"))]
pub struct Timings {
    /// Decoding, resizing and normalising the pictures.
    pub image_ms: f64,
    /// The vision encoder and the projector.
    pub encode_ms: f64,
    /// One pass over picture and prompt.
    pub prefill_ms: f64,
    /// Each further token, on average.
    pub decode_ms_per_token: f64,
}

/// A model on a player, with its tokenizer and the preparation of its pictures.
pub struct Model {
    driver: AutoRegressive,
    language: Box<dyn Language>,
    preprocessor: Preprocessor,
    /// Ids that end an answer.
    eos: Vec<u32>,
    /// What the pictures on the device were encoded from, so that another question about them need not wait again.
    seen: Vec<Vec<f32>>,
    now_ms: fn() -> f64,
}

/// Top bit of an id: the rest is a row of the pictures' features.
const FEATURE: u32 = 1 << 31;

impl Model {
    pub(super) fn new(
        driver: AutoRegressive,
        language: Box<dyn Language>,
        preprocessor: Preprocessor,
        eos: Vec<u32>,
        seen: Vec<Vec<f32>>,
        now_ms: fn() -> f64,
    ) -> Self {
        Self { driver, language, preprocessor, eos, seen, now_ms }
    }

    /// Has a GPU make its pipelines and take the memory of an ordinary question before the first is asked.
    ///
    /// # Errors
    /// A device without the memory or limits for it.
    pub async fn prepare(&mut self) -> Result<()> {
        if !self.driver.session().player().compiles() {
            return Ok(());
        }
        self.driver.prepare(PROMPT_TOKENS, USUAL_TOKENS).await
    }

    /// Answers a request; `emit` gets pieces of text as they become certain.
    ///
    /// # Errors
    /// Options or a prompt that cannot be, a cancelled token, a failing device.
    pub async fn generate(&mut self, request: Request<'_>, call: &Call, emit: &mut dyn FnMut(&str)) -> Result<Answer> {
        let answer = self.answer(request, None, call, emit).await?;
        call.forget();
        Ok(answer)
    }

    /// The same, keeping to a grammar.
    pub(super) async fn answer(
        &mut self,
        request: Request<'_>,
        grammar: Option<&dyn Grammar>,
        call: &Call,
        emit: &mut dyn FnMut(&str),
    ) -> Result<Answer> {
        request.options.validate()?;
        let now = self.now_ms;
        let mut timings = Timings::default();
        let (ids, prompt_tokens) = self.encode_images(&request, &call.cancel, &mut timings).await?;
        let start = now();
        let mut first = start;
        let prompt = Prompt { ids: &ids, eos: &self.eos, grammar };
        let mut after_prefill = || first = now();
        let generation = generate(
            &mut self.driver,
            self.language.tokenizer(),
            prompt,
            request.options,
            call,
            &mut after_prefill,
            emit,
        )
        .await?;
        timings.prefill_ms = first - start;
        let further = generation.tokens.len().saturating_sub(1);
        if further > 0 {
            timings.decode_ms_per_token = (now() - first) / further as f64;
        }
        Ok(Answer { generation, prompt_tokens, timings })
    }

    /// Log-probability of every token of a given answer, in one pass.
    ///
    /// # Errors
    /// As [`generate`](Self::generate).
    pub async fn score(&mut self, request: Request<'_>, answer: &[u32]) -> Result<Vec<f32>> {
        let (ids, _) = self.encode_images(&request, &CancelToken::default(), &mut Timings::default()).await?;
        self.driver.score(&ids, answer).await
    }

    /// Encodes the pictures, unless they are those of the call before: it does not see the prompt. The whole
    /// prefix, and the prompt's part of it.
    async fn encode_images(
        &mut self,
        request: &Request<'_>,
        cancel: &CancelToken,
        timings: &mut Timings,
    ) -> Result<(Vec<u32>, Vec<u32>)> {
        let now = self.now_ms;
        let prompt = self.language.prompt(request.prompt)?;
        let places = request.pictures.len() * self.driver.image_tokens();
        // Encoding takes longest: not in vain.
        self.driver.positions_after(places + prompt.len())?;
        let start = now();
        let mut pixels = Vec::with_capacity(request.pictures.len());
        for picture in request.pictures {
            cancel.check()?;
            pixels.push(self.preprocessor.apply(picture));
        }
        let prepared = now();
        if pixels != self.seen {
            self.seen.clear();
            let rows: Vec<&[f32]> = pixels.iter().map(Vec::as_slice).collect();
            cancel.guard(self.driver.encode(&rows)).await?;
            self.seen = pixels;
        }
        timings.image_ms = prepared - start;
        timings.encode_ms = now() - prepared;
        let ids = (0..places as u32).map(|row| FEATURE | row).chain(prompt.iter().copied()).collect();
        Ok((ids, prompt))
    }

    /// How the model goes about a task.
    pub(super) fn recipe(&self, task: &Task, constrained: bool) -> Result<Recipe> {
        self.language.recipe(task, &self.eos, constrained)
    }

    /// What an answer's tokens place in a picture of `[width, height]` pixels.
    pub(super) fn objects(&self, answer: &Generation, size: [usize; 2]) -> Detections {
        self.language.objects(&answer.tokens, &answer.logprobs, size)
    }

    /// Whether the model came with a decoder of masks.
    pub fn decodes_masks(&self) -> bool {
        self.driver.session().decodes_masks()
    }

    /// The mask `[64, 64]` that 16 codes stand for, about -1 outside the thing and 1 inside.
    ///
    /// # Errors
    /// A model without a decoder of masks, a failing device.
    pub async fn decode_mask(&mut self, codes: &MaskCodes) -> Result<Vec<f32>> {
        self.driver.session_mut().decode_mask(codes).await
    }

    /// The logits `[V]` that chose the last token generated; after `max_new_tokens` of 1, those of the prefix's end.
    ///
    /// # Errors
    /// Nothing was generated yet, or a failing device.
    pub async fn logits(&mut self) -> Result<Vec<f32>> {
        self.driver.logits().await
    }

    /// How its matrices are stored.
    pub fn dtype(&self) -> Dtype {
        self.driver.session().dtype()
    }

    /// Bytes held on the device.
    pub fn memory(&self) -> MemoryUse {
        self.driver.session().memory()
    }

    /// The rows of each buffer that a weight lies in, by its name in the runtime; none where there is no such weight.
    pub fn weight_rows(&self, name: &str) -> Vec<usize> {
        self.driver.session().weight_rows(name)
    }

    /// The tokenizer of prompts and answers.
    pub fn tokenizer(&self) -> &Tokenizer {
        self.language.tokenizer()
    }

    /// What executes the model.
    pub fn player(&self) -> &Player {
        self.driver.session().player()
    }

    /// Gives the model's memory back and keeps the player, with all it has compiled, for another model.
    pub fn into_player(self) -> Player {
        self.driver.into_session().into_player()
    }
}
