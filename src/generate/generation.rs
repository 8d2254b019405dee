/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The model said so.
    Eos,
    /// A stop text came.
    Stop,
    /// `max_new_tokens` were generated.
    Length,
}

impl Finish {
    /// `eos`, `stop` or `length`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eos => "eos",
            Self::Stop => "stop",
            Self::Length => "length",
        }
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Generation {
    /// Its text, without what ended it.
    pub text: String,
    /// Its tokens, the end token included if the model gave one.
    pub tokens: Vec<u32>,
    /// Log-probability of each token before temperature and cuts.
    pub logprobs: Vec<f32>,
    /// Why it ended.
    pub finish: Finish,
    /// The logits `[V]` at the end of the prompt, if they were asked for.
    pub logits: Vec<f32>,
}
