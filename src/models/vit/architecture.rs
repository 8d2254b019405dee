use serde_json::Value;

use super::hugging_face::{self, canonical};
use super::timm;
use crate::base::{FieldError, Result};
use crate::format::CheckpointRules;
use crate::graph::{Graph, ShapeError};
use crate::image::{Filter, Preprocessor};
use crate::models::blocks::ImageTower;
use crate::models::{Architecture, Encoders, Names, Part, Pass, Section};

/// A vision transformer by itself.
#[derive(Debug, Clone)]
pub struct Vit {
    tower: ImageTower,
    source: Source,
}

/// Whose checkpoint it is.
#[derive(Debug, Clone)]
enum Source {
    HuggingFace,
    /// timm's tells in its configuration how pictures are prepared.
    Timm(Box<Preprocessor>),
}

impl Vit {
    /// Of a `config.json` as Hugging Face's ViT has it.
    ///
    /// # Errors
    /// Fields that make no ViT.
    pub fn from_hf(json: &Value) -> Result<Self, FieldError> {
        Ok(Self { tower: hugging_face::tower(json)?, source: Source::HuggingFace })
    }

    /// Of a `config.json` as timm has it.
    ///
    /// # Errors
    /// An architecture that is not known, arguments that make no model.
    pub fn from_timm(json: &Value) -> Result<Self> {
        let (tower, preprocessor) = timm::open(json)?;
        Ok(Self { tower, source: Source::Timm(Box::new(preprocessor)) })
    }

    /// The model in numbers.
    pub fn tower(&self) -> &ImageTower {
        &self.tower
    }
}

impl Architecture for Vit {
    fn name(&self) -> &'static str {
        "vit"
    }

    fn parts(&self) -> Vec<Part> {
        vec![Part { name: "image", pass: Pass::Images(self.tower.whole()), optional: None }]
    }

    fn build(&self, pass: &Pass) -> Result<Graph, ShapeError> {
        match pass {
            Pass::Images(pass) => self.tower.pass(&Names::new("image", ""), pass),
            _ => Err(ShapeError::NoPass(format!("{pass:?}"))),
        }
    }

    fn report(&self) -> Vec<Section> {
        vec![Section { name: "image", numbers: self.tower.numbers() }]
    }

    fn checkpoint_rules(&self) -> CheckpointRules {
        match self.source {
            Source::HuggingFace => CheckpointRules { canonical, ..CheckpointRules::default() },
            Source::Timm(_) => CheckpointRules::default(),
        }
    }

    fn preprocessor(&self, processor: Option<&Value>) -> Result<Preprocessor> {
        match &self.source {
            Source::HuggingFace => Ok(Preprocessor::square(processor, self.tower.vit.image_size, Filter::Bilinear)?),
            Source::Timm(preprocessor) => Ok(preprocessor.as_ref().clone()),
        }
    }

    fn encoders(&self) -> Encoders {
        Encoders { image: Some(self.tower.encoder()), text: None }
    }
}
