use std::borrow::Cow;
use std::fmt;

/// What the user can do about an error: a sentence in which settings stand as data.
///
/// The same setting is a flag of the command line, an option of the page and a field in Rust, so whoever tells the
/// user gives it its name there: see [`Remedy::told`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy(Vec<RemedyPart>);

/// A piece of a [`Remedy`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemedyPart {
    /// Words as they are.
    Words(Cow<'static, str>),
    /// A setting, to be named by who tells it.
    Setting(Setting),
}

/// A setting of the user's that a remedy names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Setting {
    /// How weights are kept; with the dtype to take, where one is meant.
    Dtype(Option<&'static str>),
    /// Where the model runs: `cpu` or `gpu`.
    Device(&'static str),
    /// The adapter's name.
    Adapter,
    /// The largest storage binding that is used.
    MaxBinding,
    /// What big_vision's weights do not tell.
    Preset,
    /// Most tokens of the answer.
    MaxNewTokens,
    /// Divides the logits before sampling.
    Temperature,
    /// How many likeliest tokens are drawn among.
    TopK,
    /// The probability of the tokens that are drawn among.
    TopP,
    /// Answers searched in parallel.
    Beams,
    /// Texts that end the answer.
    Stop,
}

/// Its name in Rust.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dtype(Some(dtype)) => return write!(f, "dtype {dtype}"),
            Self::Device(device) => return write!(f, "device {device}"),
            Self::Dtype(None) => "dtype",
            Self::Adapter => "adapter",
            Self::MaxBinding => "max_binding_bytes",
            Self::Preset => "preset",
            Self::MaxNewTokens => "max_new_tokens",
            Self::Temperature => "temperature",
            Self::TopK => "top_k",
            Self::TopP => "top_p",
            Self::Beams => "beams",
            Self::Stop => "stop",
        })
    }
}

impl Remedy {
    /// A sentence with settings in it: `["Try ".into(), Setting::Dtype(None).into(), ".".into()]`.
    pub fn of<const N: usize>(parts: [RemedyPart; N]) -> Self {
        Self(parts.into())
    }

    /// The sentence, in which `name` gives each setting its name.
    pub fn told(&self, name: impl Fn(Setting) -> String) -> String {
        let words = |part: &RemedyPart| match part {
            RemedyPart::Words(words) => words.clone(),
            RemedyPart::Setting(setting) => name(*setting).into(),
        };
        self.0.iter().map(words).collect()
    }
}

impl From<&'static str> for RemedyPart {
    fn from(words: &'static str) -> Self {
        Self::Words(words.into())
    }
}

impl From<String> for RemedyPart {
    fn from(words: String) -> Self {
        Self::Words(words.into())
    }
}

impl From<Setting> for RemedyPart {
    fn from(setting: Setting) -> Self {
        Self::Setting(setting)
    }
}

impl<T: Into<RemedyPart>> From<T> for Remedy {
    fn from(words: T) -> Self {
        Self::of([words.into()])
    }
}

/// With the settings' names in Rust.
impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told(|setting| setting.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_get_the_names_that_the_teller_gives_them() {
        let remedy = Remedy::of(["Try ".into(), Setting::Dtype(Some("f32")).into(), ", or wait.".into()]);
        assert_eq!(remedy.to_string(), "Try dtype f32, or wait.");
        assert_eq!(remedy.told(|_| "`f32`".into()), "Try `f32`, or wait.");
        assert_eq!(Remedy::from("Wait.").told(|_| String::new()), "Wait.");
    }
}
