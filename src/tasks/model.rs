use serde::Serialize;

use super::encoding::Encoding;
use super::generative::Generative;
use super::unsupported::Unsupported;
use crate::base::Result;
use crate::generate::{Call, GenerateOptions, Generation, USUAL_TOKENS};
use crate::image::{Preprocessor, Rgb8};
use crate::models::MaskCodes;
use crate::session::{MemoryUse, Player, Session, SessionOptions};
use crate::tensor::Dtype;
use crate::text::Tokenizer;

/// Tokens of an ordinary prompt after its picture: passes are padded, so that it need not be met exactly.
const PROMPT_TOKENS: usize = 16;

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

/// A model on a player, with the preparation of its pictures and what it reads and writes.
pub struct Model {
    pub(super) driver: Driver,
    pub(super) preprocessor: Preprocessor,
    pub(super) now_ms: fn() -> f64,
}

/// What a model does with its pictures and texts.
pub(super) enum Driver {
    /// It writes text about them.
    Generative(Generative),
    /// It makes vectors of them.
    Encoding(Encoding),
}

impl Driver {
    /// What writes, for a task that needs it.
    pub fn writer(&mut self, task: &'static str) -> Result<&mut Generative> {
        match self {
            Self::Generative(model) => Ok(model),
            Self::Encoding(_) => Err(Unsupported::of(self, task).into()),
        }
    }

    /// What makes vectors, for a task that needs it.
    pub fn encoding(&mut self, task: &'static str) -> Result<&mut Encoding> {
        match self {
            Self::Generative(_) => Err(Unsupported::of(self, task).into()),
            Self::Encoding(model) => Ok(model),
        }
    }

    /// The tasks that it can do.
    pub fn tasks(&self) -> Vec<&'static str> {
        match self {
            Self::Generative(_) => Generative::TASKS.to_vec(),
            Self::Encoding(model) => model.tasks(),
        }
    }

    pub fn session(&self) -> &Session {
        match self {
            Self::Generative(model) => model.driver().session(),
            Self::Encoding(model) => model.encoder().session(),
        }
    }

    pub fn session_mut(&mut self) -> &mut Session {
        match self {
            Self::Generative(model) => model.driver_mut().session_mut(),
            Self::Encoding(model) => model.encoder_mut().session_mut(),
        }
    }

    /// Takes the memory of an ordinary request and checks its passes against the device's limits.
    pub async fn check(&mut self) -> Result<()> {
        match self {
            Self::Generative(model) => model.driver_mut().check(PROMPT_TOKENS, USUAL_TOKENS).await,
            Self::Encoding(model) => model.encoder_mut().check().await,
        }
    }

    /// Has a GPU make the pipelines of an ordinary request, and take the memory for it.
    pub async fn prepare(&mut self) -> Result<()> {
        if !self.session().player().compiles() {
            return Ok(());
        }
        match self {
            Self::Generative(model) => model.driver_mut().prepare(PROMPT_TOKENS, USUAL_TOKENS).await,
            Self::Encoding(model) => model.encoder_mut().prepare().await,
        }
    }
}

impl Model {
    /// Has a GPU make its pipelines and take the memory of an ordinary question before the first is asked.
    ///
    /// # Errors
    /// A device without the memory or limits for it.
    pub async fn prepare(&mut self) -> Result<()> {
        self.driver.prepare().await
    }

    /// Answers a request; `emit` gets pieces of text as they become certain.
    ///
    /// # Errors
    /// A model that writes no text, options or a prompt that cannot be, a cancelled token, a failing device.
    pub async fn generate(&mut self, request: Request<'_>, call: &Call, emit: &mut dyn FnMut(&str)) -> Result<Answer> {
        let tools = (&self.preprocessor, self.now_ms);
        let answer = self.driver.writer("prompt")?.answer(request, tools, None, call, emit).await?;
        call.forget();
        Ok(answer)
    }

    /// Log-probability of every token of a given answer, in one pass.
    ///
    /// # Errors
    /// As [`generate`](Self::generate).
    pub async fn score(&mut self, request: Request<'_>, answer: &[u32]) -> Result<Vec<f32>> {
        let tools = (&self.preprocessor, self.now_ms);
        self.driver.writer("score")?.score(request, tools, answer).await
    }

    /// Whether the model came with a decoder of masks.
    pub fn decodes_masks(&self) -> bool {
        self.session().decodes_masks()
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
    /// A model that writes no text, nothing was generated yet, or a failing device.
    pub async fn logits(&mut self) -> Result<Vec<f32>> {
        self.driver.writer("prompt")?.driver_mut().logits().await
    }

    /// The tokenizer of prompts and answers.
    ///
    /// # Errors
    /// A model that writes no text.
    pub fn tokenizer(&self) -> Result<&Tokenizer> {
        match &self.driver {
            Driver::Generative(model) => Ok(model.language().tokenizer()),
            Driver::Encoding(_) => Err(Unsupported::of(&self.driver, "prompt").into()),
        }
    }

    /// What the model is, as packs and reports call it.
    pub fn architecture(&self) -> &'static str {
        self.session().architecture().name()
    }

    /// The tasks that it can do, by the names of their commands.
    pub fn tasks(&self) -> Vec<&'static str> {
        self.driver.tasks()
    }

    /// How its matrices are stored.
    pub fn dtype(&self) -> Dtype {
        self.session().dtype()
    }

    /// Bytes held on the device.
    pub fn memory(&self) -> MemoryUse {
        self.session().memory()
    }

    /// The rows of each buffer that a weight lies in, by its name in the runtime; none where there is no such weight.
    pub fn weight_rows(&self, name: &str) -> Vec<usize> {
        self.session().weight_rows(name)
    }

    /// What executes the model.
    pub fn player(&self) -> &Player {
        self.session().player()
    }

    fn session(&self) -> &Session {
        self.driver.session()
    }

    /// Gives the model's memory back and keeps the player, with all it has compiled, for another model.
    pub fn into_player(self) -> Player {
        match self.driver {
            Driver::Generative(model) => model.into_driver().into_session().into_player(),
            Driver::Encoding(model) => model.into_encoder().into_session().into_player(),
        }
    }
}
