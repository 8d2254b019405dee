//! A classifier of patches in two layers: the smallest architecture that there can be.

use serde_json::Value;

use super::{Architecture, ImageInput, Names, Part, Pass, Section, states};
use crate::base::Result;
use crate::format::FormatFault;
use crate::graph::{Graph, ShapeFault, StateKind};
use crate::ops::{Activate, Activation, Patchify};

/// The classifier in numbers.
#[derive(Debug, Clone)]
pub struct PatchClassifier {
    image_size: usize,
    patch: usize,
    width: usize,
    classes: usize,
}

impl PatchClassifier {
    /// Of a `config.json`.
    ///
    /// # Errors
    /// A field that is missing or no number.
    pub fn from_json(json: &Value) -> Result<Self> {
        let field = |name: &str| {
            let number = json.get(name).and_then(Value::as_u64).filter(|n| (1..=1 << 16).contains(n));
            let reason = format!("{name} is no number from 1 to 65536");
            number.map(|n| n as usize).ok_or(FormatFault::Json { file: "config.json".into(), reason })
        };
        let (image_size, patch) = (field("image_size")?, field("patch_size")?);
        Ok(Self { image_size, patch, width: field("hidden_size")?, classes: field("num_labels")? })
    }

    fn tokens(&self) -> usize {
        (self.image_size / self.patch).pow(2)
    }

    fn classify(&self) -> Result<Graph, ShapeFault> {
        let mut g = Graph::new("classify patches");
        let image = g.state(states::IMAGE, StateKind::Input, self.image_size * self.image_size, 3)?;
        let patches = g.push("patches", Patchify { image, size: self.image_size, patch: self.patch })?;
        let (k, names) = (3 * self.patch * self.patch, Names::new("classifier", "classifier"));
        let hidden = names.at("hidden", "hidden").linear(&mut g, patches, self.width, k)?;
        let hidden = g.push("gelu", Activate { x: hidden, activation: Activation::Gelu })?;
        let logits = names.at("head", "head").linear(&mut g, hidden, self.classes, self.width)?;
        g.store(logits, states::PICTURE, StateKind::Output)?;
        Ok(g)
    }
}

impl Architecture for PatchClassifier {
    fn name(&self) -> &'static str {
        "patch_classifier"
    }

    fn parts(&self) -> Vec<Part> {
        vec![Part { name: "classifier", pass: Pass::EncodeImage, optional: None }]
    }

    fn build(&self, pass: &Pass) -> Result<Graph, ShapeFault> {
        match pass {
            Pass::EncodeImage => self.classify(),
            other => Err(ShapeFault::NoPass(format!("{other:?}"))),
        }
    }

    fn report(&self) -> Vec<Section> {
        vec![Section {
            name: "classifier",
            numbers: vec![("width", self.width.into()), ("classes", self.classes.into())],
        }]
    }

    fn image(&self) -> Option<ImageInput> {
        Some(ImageInput { size: self.image_size, tokens: self.tokens(), width: self.classes })
    }
}
