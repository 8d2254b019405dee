use serde::Deserialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::base::Result;
use crate::tasks::{Call, GenerateOptions, Model, Performed, Request, Rgb8, Task, usual_tokens};

use super::error::{BadValue, thrown};

/// One generation: stops it from outside, while the model itself is busy, and knows what it has said, so that another
/// model takes it up where the device of the first was lost.
#[wasm_bindgen]
#[derive(Default)]
pub struct CallHandle(Call);

#[wasm_bindgen]
impl CallHandle {
    /// A handle for one generation.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the generation that was given this handle.
    pub fn cancel(&self) {
        self.0.cancel.cancel();
    }

    pub(super) fn call(&self) -> &Call {
        &self.0
    }
}

impl Asked {
    /// None where it is a prompt as it is.
    fn task(&self) -> Option<Task<'_>> {
        Some(match self {
            Self::Prompt { .. } => return None,
            Self::Caption { language } => Task::Caption(language),
            Self::Describe { language } => Task::Describe(language),
            Self::Ask { language, question } => Task::Ask(language, question),
            Self::Ocr => Task::Ocr,
            Self::Detect { labels } => Task::Detect(labels),
            Self::Segment { labels } => Task::Segment(labels),
        })
    }
}

impl WasmRequest {
    /// Has a model answer.
    pub(super) async fn put_to(&self, model: &mut Model, call: &Call, emit: &mut dyn FnMut(&str)) -> Result<Performed> {
        let Self { pictures, asked, options } = self;
        match (asked, asked.task(), pictures.as_slice()) {
            (Asked::Prompt { text }, ..) => {
                let answer = model.generate(Request { pictures, prompt: text, options }, call, emit).await?;
                Ok(Performed { answer, objects: Vec::new(), dropped: 0 })
            }
            (_, Some(task), [picture]) => model.perform(picture, task, options, call, emit).await,
            (_, _, pictures) => {
                let reason = format!("{} were given; a task takes one", pictures.len());
                Err(BadValue { what: "the number of pictures", reason }.into())
            }
        }
    }
}

/// The options of a generation; what is absent keeps its default.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Options {
    max_new_tokens: Option<usize>,
    temperature: Option<f32>,
    top_k: Option<usize>,
    top_p: Option<f32>,
    seed: Option<u64>,
    beams: Option<usize>,
    stop: Option<Vec<String>>,
    constrained: Option<bool>,
}

/// What is asked about the pictures.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
enum Asked {
    Prompt { text: String },
    Caption { language: String },
    Describe { language: String },
    Ask { language: String, question: String },
    Ocr,
    Detect { labels: Vec<String> },
    Segment { labels: Vec<String> },
}

/// Pictures, what is asked about them, and how to answer it.
#[wasm_bindgen]
pub struct WasmRequest {
    pub(super) pictures: Vec<Rgb8>,
    asked: Asked,
    pub(super) options: GenerateOptions,
}

#[wasm_bindgen]
impl WasmRequest {
    /// A request without pictures yet.
    ///
    /// # Errors
    /// An unknown question or option, or one of a wrong type or out of range.
    #[wasm_bindgen(constructor)]
    pub fn new(asked: JsValue, options: JsValue) -> Result<Self, JsValue> {
        let asked: Asked = serde_wasm_bindgen::from_value(asked)
            .map_err(|error| thrown(BadValue { what: "the question", reason: error.to_string() }))?;
        let given: Options = serde_wasm_bindgen::from_value(options)
            .map_err(|error| thrown(BadValue { what: "the generation's options", reason: error.to_string() }))?;
        let mut options = GenerateOptions::default();
        let usual = asked.task().map_or(options.max_new_tokens, usual_tokens);
        options.max_new_tokens = given.max_new_tokens.unwrap_or(usual);
        options.temperature = given.temperature.unwrap_or(options.temperature);
        options.top_k = given.top_k.unwrap_or(options.top_k);
        options.top_p = given.top_p.unwrap_or(options.top_p);
        options.seed = given.seed.unwrap_or(options.seed);
        options.beams = given.beams.unwrap_or(options.beams);
        options.constrained = given.constrained.unwrap_or(options.constrained);
        options.stop = given.stop.unwrap_or(options.stop);
        options.validate().map_err(thrown)?;
        Ok(Self { pictures: Vec::new(), asked, options })
    }

    /// Adds a picture: rows of red, green, blue and straight alpha bytes. Alpha is laid over white.
    ///
    /// # Errors
    /// A size that does not fit the bytes, or is out of range.
    pub fn add_picture(&mut self, width: u32, height: u32, rgba: &[u8]) -> Result<(), JsValue> {
        self.pictures.push(Rgb8::from_rgba(width as usize, height as usize, rgba).map_err(thrown)?);
        Ok(())
    }
}
