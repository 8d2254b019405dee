use crate::base::{ErrorKind, Fault, Remedy, Setting};

/// Most candidates the device sorts; `top_k` and twice `beams` are at most this.
pub const MAX_TOP_K: usize = 64;

/// How an answer is generated.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerateOptions {
    /// Most tokens of the answer.
    pub max_new_tokens: usize,
    /// Divides the logits before sampling; 0 takes the likeliest token.
    pub temperature: f32,
    /// Samples among this many likeliest tokens; 0 among all, which reads all logits back for every token.
    pub top_k: usize,
    /// Samples among the likeliest tokens that together have this probability.
    pub top_p: f32,
    /// Start of the random sequence: same seed, same answer.
    pub seed: u64,
    /// Answers searched in parallel; 1 searches none.
    pub beams: usize,
    /// Texts that end the answer; they are not part of it.
    pub stop: Vec<String>,
    /// Keep what `detect` and `segment` write of objects well-formed; other prompts are never kept to it. Where a box
    /// or a mask has begun, only what can go on with it is chosen among. A greedy answer also begins with a box where
    /// all boxes together are likelier than all else. Beams are not kept to it.
    pub constrained: bool,
    /// Keep the logits at the end of the prompt, see [`Generation`](super::Generation).
    pub keep_logits: bool,
}

impl Default for GenerateOptions {
    fn default() -> Self {
        Self {
            max_new_tokens: 128,
            temperature: 0.0,
            top_k: 50,
            top_p: 1.0,
            seed: 0,
            beams: 1,
            stop: Vec::new(),
            constrained: true,
            keep_logits: false,
        }
    }
}

/// An option out of range.
#[derive(Debug, thiserror::Error)]
#[error("{option} is {found}, expected {expected}")]
pub struct OptionFault {
    option: Setting,
    found: String,
    expected: String,
}

impl Fault for OptionFault {
    fn kind(&self) -> ErrorKind {
        ErrorKind::BadArgument
    }

    fn remedy(&self) -> Remedy {
        Remedy::of(["Set ".into(), self.option.into(), format!(" to {}.", self.expected).into()])
    }
}

impl GenerateOptions {
    /// Checks every option's range.
    pub fn validate(&self) -> Result<(), OptionFault> {
        let fault = |option, found: String, expected: String| Err(OptionFault { option, found, expected });
        if self.max_new_tokens == 0 {
            return fault(Setting::MaxNewTokens, "0".into(), "at least 1".into());
        }
        if !(self.temperature >= 0.0 && self.temperature.is_finite()) {
            return fault(Setting::Temperature, self.temperature.to_string(), "a number of at least 0".into());
        }
        if self.top_k > MAX_TOP_K {
            return fault(Setting::TopK, self.top_k.to_string(), format!("0 to {MAX_TOP_K}"));
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            return fault(Setting::TopP, self.top_p.to_string(), "above 0 and at most 1".into());
        }
        if self.beams == 0 || self.beams > MAX_TOP_K / 2 {
            return fault(Setting::Beams, self.beams.to_string(), format!("1 to {}", MAX_TOP_K / 2));
        }
        if self.beams > 1 && self.temperature > 0.0 {
            return fault(Setting::Temperature, self.temperature.to_string(), "0 together with beams".into());
        }
        if self.stop.iter().any(String::is_empty) {
            return fault(Setting::Stop, "an empty text".into(), "texts of at least one character".into());
        }
        Ok(())
    }
}
