//! What PaliGemma was trained to be asked: each task's prompt, and what its answer is made of.

use crate::base::{ErrorKind, LayerError, Remedy};
use crate::models::{AnswerForm, Task};

/// Most characters of a question or of all labels together: PaliGemma was trained on prompts far shorter.
pub const MAX_PROMPT_CHARS: usize = 4096;

/// What is asked where labels are to be scored as its answer.
const WHAT: &str = "answer en what is in the image?";

/// A task that cannot be put to a model.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
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
    /// Nothing that it can answer in words.
    #[error("PaliGemma has no prompt for {0}")]
    NoPrompt(&'static str),
}

impl LayerError for PromptError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoPrompt(_) => ErrorKind::Unsupported,
            _ => ErrorKind::BadArgument,
        }
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::Empty { what } => format!("Give the {what} some text.").into(),
            Self::Label { .. } => "Give each label as plain words, one by one.".into(),
            Self::TooLong { .. } => "Ask for less at once.".into(),
            Self::Language(_) => "Give a code such as `en` or `de`.".into(),
            Self::NoPrompt(_) => "Use a model that makes vectors of pictures.".into(),
        }
    }
}

/// The text of a task's prompt.
///
/// # Errors
/// An empty or over-long question or label, a label with `;`, `<` or a line break, a language that is no code.
pub fn prompt(task: &Task) -> Result<String, PromptError> {
    Ok(Plan::of(task)?.prompt)
}

/// What PaliGemma makes of a task.
pub(super) struct Plan {
    /// What it is asked.
    pub prompt: String,
    /// What it answers with.
    pub answer: AnswerForm,
    /// Whether each object comes with a mask.
    pub masks: bool,
    /// Most tokens that the answer may well need.
    pub usual_tokens: usize,
}

impl Plan {
    pub fn of(task: &Task) -> Result<Self, PromptError> {
        Ok(match task {
            Task::Prompt { text } => Self::words(text.clone(), 128),
            Task::Caption { language } => Self::words(format!("caption {}", code(language)?), 128),
            Task::Describe { language } => Self::words(format!("describe {}", code(language)?), 256),
            Task::Ask { language, question } => {
                Self::words(format!("answer {} {}", code(language)?, words("question", &question.text())?), 128)
            }
            Task::Ocr => Self::words("ocr".into(), 128),
            // A box and its label take about 8 tokens, a mask 16 more.
            Task::Detect { labels } => Self::objects(format!("detect {}", all(labels)?), false, 256),
            Task::Segment { labels } => Self::objects(format!("segment {}", all(labels)?), true, 512),
            // Labels are scored as its answers.
            Task::Classify(task) => Self::words(task.prompt.clone().unwrap_or_else(|| WHAT.into()), 0),
            Task::Embed { .. } | Task::Features => return Err(PromptError::NoPrompt(task.name())),
        })
    }

    fn words(prompt: String, usual_tokens: usize) -> Self {
        Self { prompt, answer: AnswerForm::Text, masks: false, usual_tokens }
    }

    fn objects(prompt: String, masks: bool, usual_tokens: usize) -> Self {
        Self { prompt, answer: AnswerForm::Objects, masks, usual_tokens }
    }
}

fn code(language: &str) -> Result<&str, PromptError> {
    let letters = |part: &str| (2..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric());
    if language.split('-').all(letters) { Ok(language) } else { Err(PromptError::Language(language.into())) }
}

fn words<'a>(what: &'static str, text: &'a str) -> Result<&'a str, PromptError> {
    let text = text.trim();
    let chars = text.chars().count();
    if text.is_empty() {
        Err(PromptError::Empty { what })
    } else if chars > MAX_PROMPT_CHARS {
        Err(PromptError::TooLong { what, chars })
    } else {
        Ok(text)
    }
}

fn all(labels: &[String]) -> Result<String, PromptError> {
    let mut trimmed = Vec::with_capacity(labels.len());
    for label in labels {
        let text = words("label", label)?;
        if let Some(found) = text.chars().find(|c| matches!(c, ';' | '<' | '>') || c.is_control()) {
            return Err(PromptError::Label { label: label.clone(), found });
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

    fn caption(language: &str) -> Task {
        Task::Caption { language: language.into() }
    }

    fn ask(question: &str) -> Task {
        Task::Ask { language: "en".into(), question: question.to_owned().into() }
    }

    fn detect(labels: &[&str]) -> Task {
        Task::Detect { labels: owned(labels) }
    }

    #[test]
    fn prompts_read_as_published() {
        assert_eq!(prompt(&caption("en")).expect("a prompt"), "caption en");
        assert_eq!(prompt(&ask(" what is it? ")).expect("a prompt"), "answer en what is it?");
        assert_eq!(prompt(&detect(&["cat", "red car"])).expect("a prompt"), "detect cat ; red car");
        assert_eq!(prompt(&Task::Segment { labels: owned(&["cat"]) }).expect("a prompt"), "segment cat");
        assert_eq!(prompt(&Task::Prompt { text: " as it is\n".into() }).expect("a prompt"), " as it is\n");
    }

    #[test]
    fn what_would_read_as_something_else_is_refused() {
        for labels in [&["a ; b"][..], &["<loc0001>"], &["a\nb"], &[""], &["cat", "  "]] {
            assert!(prompt(&detect(labels)).is_err(), "{labels:?}");
        }
        assert!(prompt(&ask("")).is_err());
        assert!(prompt(&ask(&"x".repeat(10_000))).is_err());
        assert!(prompt(&caption("en\nde")).is_err());
    }
}
