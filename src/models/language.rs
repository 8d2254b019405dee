use super::{Detections, Recipe, Task};
use crate::base::Result;
use crate::text::Tokenizer;

/// What a generative model reads and writes: a tokenizer, and what the architecture makes of prompts and answers with
/// it.
pub trait Language {
    /// The tokenizer of prompts and answers.
    fn tokenizer(&self) -> &Tokenizer;

    /// Ids of a prompt, after its pictures.
    ///
    /// # Errors
    /// A text that no prompt can be.
    fn prompt(&self, text: &str) -> Result<Vec<u32>>;

    /// How a task is gone about. `ends` are the ids that end an answer; `constrained` is whether objects are kept
    /// well-formed.
    ///
    /// # Errors
    /// A task that cannot be put into words.
    fn recipe(&self, task: &Task, ends: &[u32], constrained: bool) -> Result<Recipe>;

    /// What an answer places in a picture of `[width, height]` pixels; `logprobs` are those of its tokens.
    fn objects(&self, answer: &[u32], logprobs: &[f32], size: [usize; 2]) -> Detections;
}
