use super::Grammar;

/// How a generative model goes about a task.
#[derive(Debug)]
pub struct Recipe {
    /// What it is asked, as text.
    pub prompt: String,
    /// What its answer must keep to, if anything.
    pub grammar: Option<Box<dyn Grammar>>,
    /// What its answer holds.
    pub answer: AnswerForm,
    /// Most tokens that the answer may well need.
    pub usual_tokens: usize,
}

/// What an answer's tokens hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerForm {
    /// Words, for people.
    Text,
    /// Objects with their places, see [`Detections`](super::Detections).
    Objects,
}
