use serde::Deserialize;

use crate::base::{ErrorKind, LayerError, Remedy, Setting};

/// Most candidates the device sorts; `top_k` and twice `beams` are at most this.
pub const MAX_TOP_K: usize = 64;

/// Most tokens of an answer where nothing says otherwise.
pub const USUAL_TOKENS: usize = 128;

/// How an answer is generated. The command line's arguments and the page's options are read from this one declaration.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct GenerateOptions {
    /// At most this many tokens. Default 128, and more for tasks that need more.
    #[cfg_attr(feature = "cli", arg(long, value_name = "N"))]
    pub max_new_tokens: Option<usize>,
    /// 0 (default) always takes the likeliest token; higher values draw more freely.
    #[cfg_attr(feature = "cli", arg(long, value_name = "T", default_value = "0", hide_default_value = true))]
    #[cfg_attr(test, ts(as = "Option<_>"))]
    pub temperature: f32,
    /// Draw among this many likeliest tokens, at most 64; 0 among all. Default 50.
    #[cfg_attr(feature = "cli", arg(long, value_name = "K", default_value = "50", hide_default_value = true))]
    #[cfg_attr(test, ts(as = "Option<_>"))]
    pub top_k: usize,
    /// Draw among the likeliest tokens that together have this probability. Default 1.
    #[cfg_attr(feature = "cli", arg(long, value_name = "P", default_value = "1", hide_default_value = true))]
    #[cfg_attr(test, ts(as = "Option<_>"))]
    pub top_p: f32,
    /// The same seed gives the same draws on every device. Default 0.
    #[cfg_attr(feature = "cli", arg(long, value_name = "S", default_value = "0", hide_default_value = true))]
    #[cfg_attr(test, ts(as = "Option<_>"))]
    pub seed: u64,
    /// Beam search with this many beams. Default 1.
    #[cfg_attr(feature = "cli", arg(long, value_name = "B", default_value = "1", hide_default_value = true))]
    #[cfg_attr(test, ts(as = "Option<_>"))]
    pub beams: usize,
    /// Texts that end the answer; they are not part of it.
    #[cfg_attr(feature = "cli", arg(long, value_name = "TEXT"))]
    #[cfg_attr(test, ts(as = "Option<_>"))]
    pub stop: Vec<String>,
    /// Keep what `detect` and `segment` find well-formed, drawn tokens too, but not those of beams. Default true.
    // Where a box or a mask has begun, only what can go on with it is chosen among; a greedy answer also begins with a box
    // where all boxes together are likelier than all else.
    #[cfg_attr(feature = "cli", arg(long = "unconstrained", action = clap::ArgAction::SetFalse,
        help = "Let the model end a box or a mask as it likes, and begin with none; beams always do"))]
    #[cfg_attr(test, ts(as = "Option<_>"))]
    pub constrained: bool,
    /// Keep the logits at the end of the prompt, see [`Generation`](super::Generation).
    #[serde(skip)]
    #[cfg_attr(feature = "cli", arg(skip))]
    pub keep_logits: bool,
}

impl Default for GenerateOptions {
    fn default() -> Self {
        Self {
            max_new_tokens: None,
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
pub struct OptionError {
    option: Setting,
    found: String,
    expected: String,
}

impl LayerError for OptionError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::BadArgument
    }

    fn remedy(&self) -> Remedy {
        Remedy::of(["Set ".into(), self.option.into(), format!(" to {}.", self.expected).into()])
    }
}

impl GenerateOptions {
    /// Most tokens of the answer.
    pub fn most_tokens(&self) -> usize {
        self.max_new_tokens.unwrap_or(USUAL_TOKENS)
    }

    /// Checks every option's range.
    pub fn validate(&self) -> Result<(), OptionError> {
        let fault = |option, found: String, expected: String| Err(OptionError { option, found, expected });
        if self.max_new_tokens == Some(0) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_says_nothing_gets_the_default() {
        let given: GenerateOptions = serde_json::from_str("{}").expect("options");
        assert_eq!(given, GenerateOptions::default());
    }

    #[cfg(feature = "cli")]
    #[test]
    fn a_command_line_that_says_nothing_gets_the_default() {
        #[derive(clap::Parser)]
        struct Given {
            #[command(flatten)]
            options: GenerateOptions,
        }
        let given = <Given as clap::Parser>::try_parse_from(["ocelli"]).expect("arguments");
        assert_eq!(given.options, GenerateOptions::default());
    }
}
