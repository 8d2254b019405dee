use serde::Serialize;

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Finish {
    /// The model's end token came.
    Eos,
    /// A stop text came.
    Stop,
    /// As many tokens as were allowed.
    Length,
}

/// What was generated.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Generation {
    /// The text, without what ended it.
    pub text: String,
    /// The tokens' ids, with the final end token where there is one.
    pub tokens: Vec<u32>,
    /// The natural logarithm of each token's probability, before temperature and cuts.
    pub logprobs: Vec<f32>,
    /// Why it ended: the end token, a stop text, or the allowed length.
    #[cfg_attr(test, ts(inline))]
    pub finish: Finish,
    /// The logits `[V]` at the end of the prompt, if they were asked for.
    #[serde(skip)]
    pub logits: Vec<f32>,
}
