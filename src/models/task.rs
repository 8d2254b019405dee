use serde::Deserialize;

/// What is asked about a picture. How it is asked is the model's own business, see its recipes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Task {
    /// A prompt as it is, about any number of pictures.
    Prompt {
        /// Such as `caption en`.
        text: String,
    },
    /// A short sentence.
    Caption {
        /// The code of the answer's language, such as `en`.
        language: String,
    },
    /// A longer text.
    Describe {
        /// The code of the answer's language.
        language: String,
    },
    /// The answer to a question.
    Ask {
        /// The code of the answer's language.
        language: String,
        /// The question.
        question: String,
    },
    /// The text in the picture.
    Ocr,
    /// Boxes of what the labels name.
    Detect {
        /// Names of things.
        labels: Vec<String>,
    },
    /// Boxes and masks of what the labels name.
    Segment {
        /// Names of things.
        labels: Vec<String>,
    },
}

impl Task {
    /// Whether it looks for things and names none: there is nothing to run, and nothing will be found.
    pub fn names_nothing(&self) -> bool {
        matches!(self, Self::Detect { labels } | Self::Segment { labels } if labels.is_empty())
    }
}
