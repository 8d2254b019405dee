use serde::Deserialize;

/// What is asked about a picture: the page's request and the command line's subcommand are read from this one
/// declaration. How it is asked is the model's own business, see its recipes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "cli", derive(clap::Subcommand))]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Task {
    /// A prompt as it is, about any number of pictures.
    // `ocelli run` is its command.
    #[cfg_attr(feature = "cli", command(skip))]
    Prompt {
        /// Such as `caption en`.
        text: String,
    },
    /// Say in a short sentence what a picture shows.
    Caption {
        /// The code of the answer's language, such as `en`, where the model speaks it.
        #[cfg_attr(feature = "cli", arg(long, value_name = "CODE", default_value = "en"))]
        language: String,
    },
    /// Describe a picture at length.
    Describe {
        /// The code of the answer's language, such as `en`, where the model speaks it.
        #[cfg_attr(feature = "cli", arg(long, value_name = "CODE", default_value = "en"))]
        language: String,
    },
    /// Answer a question about a picture.
    Ask {
        /// The code of the answer's language, such as `en`, where the model speaks it.
        #[cfg_attr(feature = "cli", arg(long, value_name = "CODE", default_value = "en"))]
        language: String,
        /// The question.
        #[cfg_attr(feature = "cli", command(flatten))]
        #[cfg_attr(test, ts(type = "string"))]
        question: Question,
    },
    /// Read the text in a picture.
    Ocr,
    /// Find things in a picture by their names, with a box around each.
    Detect {
        /// What to look for, a name each.
        #[cfg_attr(feature = "cli", arg(value_name = "LABEL", required = true))]
        labels: Vec<String>,
    },
    /// Find things in a picture by their names, with a box and a mask of each.
    Segment {
        /// What to look for, a name each.
        #[cfg_attr(feature = "cli", arg(value_name = "LABEL", required = true))]
        labels: Vec<String>,
    },
    /// Say which labels fit a picture, best first.
    Classify(Classify),
    /// Make vectors of pictures and texts that can be compared.
    // `ocelli embed` takes any number of pictures.
    #[cfg_attr(feature = "cli", command(skip))]
    Embed {
        /// The texts; pictures come beside the request.
        texts: Vec<String>,
    },
    /// Write what the image encoder makes of a picture, a row for each part of it.
    Features,
}

/// Labels, and how they are told apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Classify {
    /// What to choose among. A model with labels of its own needs none.
    #[cfg_attr(feature = "cli", arg(value_name = "LABEL"))]
    #[cfg_attr(test, ts(as = "Option<_>"))]
    pub labels: Vec<String>,
    /// What labels are put into, at `{}`, for models that compare pictures with texts. Default `This is a photo of {}.`
    #[cfg_attr(feature = "cli", arg(long, value_name = "TEXT"))]
    pub template: Option<String>,
    /// What a model that writes is asked; the labels are scored as its answer. Default the model's own question.
    #[cfg_attr(feature = "cli", arg(long, value_name = "TEXT"))]
    pub prompt: Option<String>,
    /// Score each label by itself: several may be true of one picture.
    #[cfg_attr(feature = "cli", arg(long))]
    #[cfg_attr(test, ts(as = "Option<_>"))]
    pub multi: bool,
    /// Tell the best so many. Default all that were given, or 5 of the model's own.
    #[cfg_attr(feature = "cli", arg(long, value_name = "K"))]
    pub top_k: Option<usize>,
}

impl Task {
    /// The names of tasks that are answered without a word, so that options of words are not theirs.
    pub const WORDLESS: [&str; 3] = ["classify", "embed", "features"];

    /// Whether what comes of it can be a file: things found, as a picture, or rows of numbers.
    pub fn has_file(&self) -> bool {
        matches!(self, Self::Detect { .. } | Self::Segment { .. } | Self::Embed { .. } | Self::Features)
    }

    /// Its name, as the command line has it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Prompt { .. } => "prompt",
            Self::Caption { .. } => "caption",
            Self::Describe { .. } => "describe",
            Self::Ask { .. } => "ask",
            Self::Ocr => "ocr",
            Self::Detect { .. } => "detect",
            Self::Segment { .. } => "segment",
            Self::Classify(_) => "classify",
            Self::Embed { .. } => "embed",
            Self::Features => "features",
        }
    }

    /// Whether it looks for things and names none: there is nothing to run, and nothing will be found.
    pub fn names_nothing(&self) -> bool {
        matches!(self, Self::Detect { labels } | Self::Segment { labels } if labels.is_empty())
    }
}

/// A question: one text for a page, any number of words on a command line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Question {
    /// The question; several words need no quotes.
    #[cfg_attr(feature = "cli", arg(value_name = "QUESTION", required = true))]
    words: Vec<String>,
}

impl Question {
    /// The whole of it.
    pub fn text(&self) -> String {
        self.words.join(" ")
    }
}

impl From<String> for Question {
    fn from(text: String) -> Self {
        Self { words: vec![text] }
    }
}
