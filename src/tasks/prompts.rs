//! The prompts that PaliGemma was trained on.

use crate::base::{ErrorKind, Fault, Remedy};

/// What a picture is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task<'a> {
    /// A short sentence in a language, such as `en`.
    Caption(&'a str),
    /// A longer text in a language.
    Describe(&'a str),
    /// The answer to a question in a language.
    Ask(&'a str, &'a str),
    /// The text in the picture.
    Ocr,
    /// Boxes of what these labels name.
    Detect(&'a [String]),
    /// Boxes and masks of what these labels name.
    Segment(&'a [String]),
}

/// Most characters of a question or of all labels together: PaliGemma was trained on prompts far shorter.
pub const MAX_PROMPT_CHARS: usize = 4096;

/// A task that cannot be put to a model.
#[derive(Debug, thiserror::Error)]
pub enum PromptFault {
    /// Nothing was asked.
    #[error("the {what} is empty")]
    Empty {
        /// What is empty.
        what: &'static str,
    },
    /// Text that would read as something else.
    #[error("the label {label:?} holds {found:?}, which separates labels or marks a token")]
    Label {
        /// The label.
        label: String,
        /// What it must not hold.
        found: char,
    },
    /// More than the model can make sense of.
    #[error("the {what} has {chars} characters; at most {MAX_PROMPT_CHARS} are taken")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// Its length.
        chars: usize,
    },
    /// Not a language's code.
    #[error("{0:?} is no language code")]
    Language(String),
}

impl Fault for PromptFault {
    fn kind(&self) -> ErrorKind {
        ErrorKind::BadArgument
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::Empty { what } => format!("Give the {what} some text.").into(),
            Self::Label { .. } => "Give each label as plain words, one by one.".into(),
            Self::TooLong { .. } => "Ask for less at once.".into(),
            Self::Language(_) => "Give a code such as `en` or `de`.".into(),
        }
    }
}

impl Task<'_> {
    /// The prompt's text.
    ///
    /// # Errors
    /// An empty or over-long question or label, a label with `;`, `<` or a line break, a language that is no code.
    pub fn prompt(&self) -> Result<String, PromptFault> {
        Ok(match self {
            Self::Caption(language) => format!("caption {}", code(language)?),
            Self::Describe(language) => format!("describe {}", code(language)?),
            Self::Ask(language, question) => format!("answer {} {}", code(language)?, words("question", question)?),
            Self::Ocr => "ocr".into(),
            Self::Detect(labels) => format!("detect {}", all(labels)?),
            Self::Segment(labels) => format!("segment {}", all(labels)?),
        })
    }
}

impl Task<'_> {
    /// Most tokens that an answer may well need.
    pub fn usual_tokens(&self) -> usize {
        match self {
            Self::Caption(_) | Self::Ask(..) | Self::Ocr => 128,
            Self::Describe(_) => 256,
            // A box and its label take about 8 tokens, a mask 16 more.
            Self::Detect(_) => 256,
            Self::Segment(_) => 512,
        }
    }
}

fn code(language: &str) -> Result<&str, PromptFault> {
    let letters = |part: &str| (2..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric());
    if language.split('-').all(letters) { Ok(language) } else { Err(PromptFault::Language(language.into())) }
}

fn words<'a>(what: &'static str, text: &'a str) -> Result<&'a str, PromptFault> {
    let text = text.trim();
    let chars = text.chars().count();
    if text.is_empty() {
        Err(PromptFault::Empty { what })
    } else if chars > MAX_PROMPT_CHARS {
        Err(PromptFault::TooLong { what, chars })
    } else {
        Ok(text)
    }
}

fn all(labels: &[String]) -> Result<String, PromptFault> {
    let mut trimmed = Vec::with_capacity(labels.len());
    for label in labels {
        let text = words("label", label)?;
        if let Some(found) = text.chars().find(|c| matches!(c, ';' | '<' | '>') || c.is_control()) {
            return Err(PromptFault::Label { label: label.clone(), found });
        }
        trimmed.push(text);
    }
    let joined = trimmed.join(" ; ");
    words("list of labels", &joined)?;
    Ok(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(labels: &[&str]) -> Vec<String> {
        labels.iter().map(|label| (*label).to_owned()).collect()
    }

    #[test]
    fn prompts_read_as_published() {
        assert_eq!(Task::Caption("en").prompt().expect("a prompt"), "caption en");
        assert_eq!(Task::Ask("en", " what is it? ").prompt().expect("a prompt"), "answer en what is it?");
        assert_eq!(Task::Detect(&owned(&["cat", "red car"])).prompt().expect("a prompt"), "detect cat ; red car");
        assert_eq!(Task::Segment(&owned(&["cat"])).prompt().expect("a prompt"), "segment cat");
    }

    #[test]
    fn what_would_read_as_something_else_is_refused() {
        for labels in [&["a ; b"][..], &["<loc0001>"], &["a\nb"], &[""], &["cat", "  "]] {
            assert!(Task::Detect(&owned(labels)).prompt().is_err(), "{labels:?}");
        }
        assert!(Task::Ask("en", "").prompt().is_err());
        assert!(Task::Ask("en", &"x".repeat(10_000)).prompt().is_err());
        assert!(Task::Caption("en\nde").prompt().is_err());
    }
}
