use serde_json::Value;

use super::{Encoders, Language, Pass, TextIds};
use crate::base::{ErrorKind, LayerError, Remedy, Result};
use crate::format::CheckpointRules;
use crate::graph::{Graph, ShapeError, WeightSpec};
use crate::image::Preprocessor;
use crate::text::Tokenizer;

/// A model, told once: its passes, what they take, and what of a checkpoint belongs to them.
///
/// Weights and states are not listed anywhere: the graphs of the passes declare them where they use them.
pub trait Architecture {
    /// Its name in packs, reports and messages.
    fn name(&self) -> &'static str;

    /// What it is made of, in order of execution.
    fn parts(&self) -> Vec<Part>;

    /// The graph of a pass.
    ///
    /// # Errors
    /// A pass that it does not have, or numbers that no kernel can work with.
    fn build(&self, pass: &Pass) -> Result<Graph, ShapeError>;

    /// What it takes of an image, if it takes any.
    fn image(&self) -> Option<ImageInput> {
        None
    }

    /// Its numbers part by part, for reports.
    fn report(&self) -> Vec<Section>;

    /// What is peculiar to its checkpoints.
    fn checkpoint_rules(&self) -> CheckpointRules {
        CheckpointRules::default()
    }

    /// Tensors that only another model has, by their canonical names: a block more than there are, a row or a norm that
    /// the configuration leaves out. A checkpoint with one of them contradicts the configuration.
    fn foreign_tensors(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether it reads text, and so needs a tokenizer.
    fn reads_text(&self) -> bool {
        false
    }

    /// What it reads and writes, with the contents of a tokenizer's file of either form.
    ///
    /// # Errors
    /// A model without text, a tokenizer of another kind than the model's.
    fn language(&self, _tokenizer: &[u8]) -> Result<Box<dyn Language>> {
        Err(NoText(self.name()).into())
    }

    /// The ids that end an answer, where the checkpoint does not say otherwise.
    fn end_tokens(&self) -> Vec<u32> {
        Vec::new()
    }

    /// What a driver must know of its decoder, if it has one.
    fn decoder(&self) -> Option<Decoder> {
        None
    }

    /// What a driver must know of encoders that work by themselves, if it has any.
    fn encoders(&self) -> Encoders {
        Encoders::default()
    }

    /// How its text encoder has its texts, with the contents of a tokenizer's file of either form and of
    /// `tokenizer_config.json`, if there is one.
    ///
    /// # Errors
    /// A model without a text encoder, a tokenizer of another kind than the model's.
    fn text_ids(&self, _tokenizer: &[u8], _config: Option<&Value>) -> Result<Box<dyn TextIds>> {
        Err(NoText(self.name()).into())
    }

    /// How its pictures are prepared, with the contents of `preprocessor_config.json`, if there is one.
    ///
    /// # Errors
    /// Values that are out of range, or that contradict the model.
    fn preprocessor(&self, processor: Option<&Value>) -> Result<Preprocessor> {
        Ok(Preprocessor::from_hf(processor, self.image().map_or(0, |image| image.size))?)
    }
}

/// Looks at the tokenizer that a model has, by the contents of its file.
///
/// # Errors
/// A model without text, a tokenizer of another kind than the model's.
pub fn with_tokenizer<T>(
    architecture: &dyn Architecture,
    file: &[u8],
    config: Option<&Value>,
    look: impl FnOnce(&Tokenizer) -> T,
) -> Result<T> {
    match architecture.encoders().text {
        Some(_) => Ok(look(architecture.text_ids(file, config)?.tokenizer())),
        None => Ok(look(architecture.language(file)?.tokenizer())),
    }
}

/// A model without what this task needs.
#[derive(Debug, thiserror::Error)]
#[error("a {0} reads no text")]
struct NoText(&'static str);

impl LayerError for NoText {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unsupported
    }

    fn remedy(&self) -> Remedy {
        "Use a model that reads text, such as a PaliGemma.".into()
    }
}

/// A part of a model that a page can load by itself: the weights of one of its passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name in packs.
    pub name: &'static str,
    /// The pass whose weights it has.
    pub pass: Pass,
    /// The tensor that a checkpoint with this part holds; `None` where no model goes without it.
    pub optional: Option<&'static str>,
}

/// A part of a model in numbers, in the order in which people read them.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// What they are of, such as `vision`.
    pub name: &'static str,
    /// Names and values.
    pub numbers: Vec<(&'static str, Value)>,
}

/// An image as a model takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageInput {
    /// Pixels along one side of the square.
    pub size: usize,
    /// P, rows of features that it becomes.
    pub tokens: usize,
    /// Width of those rows.
    pub width: usize,
}

impl ImageInput {
    /// Values of one image.
    pub const fn values(&self) -> usize {
        self.size * self.size * 3
    }
}

/// A decoder as its driver sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoder {
    /// V, ids that there are.
    pub vocabulary: usize,
    /// Positions that it was trained on.
    pub max_positions: usize,
}

/// The weights of some parts of a model, in order of execution.
///
/// # Errors
/// Passes that cannot be built, or that call different weights alike.
pub fn weight_specs<'p>(
    architecture: &dyn Architecture,
    parts: impl IntoIterator<Item = &'p Part>,
) -> Result<Vec<WeightSpec>, ShapeError> {
    Ok(weights_by_part(architecture, parts)?.into_iter().flatten().collect())
}

/// The same, part by part. A weight that several parts use is the first one's.
///
/// # Errors
/// As of [`weight_specs`].
pub fn weights_by_part<'p>(
    architecture: &dyn Architecture,
    parts: impl IntoIterator<Item = &'p Part>,
) -> Result<Vec<Vec<WeightSpec>>, ShapeError> {
    let mut by_part: Vec<Vec<WeightSpec>> = Vec::new();
    let mut known = std::collections::HashMap::new();
    for part in parts {
        let mut own = Vec::new();
        for spec in architecture.build(&part.pass)?.weights() {
            match known.get(&spec.name) {
                None => {
                    known.insert(spec.name.clone(), spec.clone());
                    own.push(spec.clone());
                }
                Some(other) if other == spec => {}
                Some(_) => return Err(ShapeError::Redeclared(spec.name.clone())),
            }
        }
        by_part.push(own);
    }
    Ok(by_part)
}
