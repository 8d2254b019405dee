use super::objects::{calibrate, objects};
use super::recipe::recipe;
use super::tokens::{PromptTokens, SpecialIds, load_tokenizer};
use crate::base::Result;
use crate::models::{Detections, Language, Recipe, Task};
use crate::text::Tokenizer;

/// What PaliGemma reads and writes.
#[derive(Debug)]
pub struct PaliGemmaLanguage {
    tokenizer: Tokenizer,
    tokens: PromptTokens,
    box_logprob_at_half: Option<f32>,
}

impl PaliGemmaLanguage {
    /// With a tokenizer's file. `box_logprob_at_half` is the log-probability of the four tokens together of a box that
    /// is as likely right as wrong, where it was measured.
    ///
    /// # Errors
    /// As of [`load_tokenizer`].
    pub fn load(file: &[u8], special: SpecialIds, box_logprob_at_half: Option<f32>) -> Result<Self> {
        let (tokenizer, tokens) = load_tokenizer(file, special)?;
        Ok(Self { tokenizer, tokens, box_logprob_at_half })
    }
}

impl Language for PaliGemmaLanguage {
    fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    fn prompt(&self, text: &str) -> Result<Vec<u32>> {
        Ok(self.tokens.prompt(&self.tokenizer, text)?)
    }

    fn recipe(&self, task: &Task, ends: &[u32], constrained: bool) -> Result<Recipe> {
        Ok(recipe(task, &self.tokens.objects, ends, constrained)?)
    }

    fn objects(&self, answer: &[u32], logprobs: &[f32], size: [usize; 2]) -> Detections {
        let mut found = objects(&self.tokenizer, &self.tokens.objects, answer, logprobs, size);
        if let Some(logprob) = self.box_logprob_at_half {
            calibrate(&mut found, logprob);
        }
        found
    }
}
