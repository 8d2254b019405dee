use super::{Value, WeightId};
use crate::base::{ErrorKind, LayerError, Remedy};

/// Operands that do not fit together, found while a graph is built.
#[derive(Debug, thiserror::Error)]
pub enum ShapeError {
    /// Two extents that must agree do not.
    #[error("{node}: {what} is {found}, expected {expected}")]
    Mismatch {
        /// The value being defined.
        node: String,
        /// What was compared.
        what: &'static str,
        /// The extent it has.
        found: usize,
        /// The extent it must have.
        expected: usize,
    },
    /// A number that no kernel can work with.
    #[error("{node}: {what} is {found}, supported is {supported}")]
    Unsupported {
        /// The value being defined.
        node: String,
        /// What it is.
        what: &'static str,
        /// Its value.
        found: String,
        /// What kernels can work with.
        supported: &'static str,
    },
    /// A pass that an architecture does not have.
    #[error("this model has no pass {0}")]
    NoPass(String),
    /// A weight or state that is declared a second time as something else.
    #[error("the graph declares {0} twice, and not alike")]
    Redeclared(String),
    /// A weight that the model's table lacks.
    #[error("the graph asks for weight {0}, which the model does not declare")]
    UnknownWeight(String),
}

impl LayerError for ShapeError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Mismatch { .. } => ErrorKind::BadConfig,
            Self::Unsupported { .. } | Self::NoPass(_) => ErrorKind::Unsupported,
            Self::Redeclared(_) | Self::UnknownWeight(_) => ErrorKind::Internal,
        }
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::Mismatch { .. } => "Check that config.json belongs to this checkpoint.",
            Self::Unsupported { .. } => "Use a model of a supported shape.",
            Self::NoPass(_) => "Use a model that can do this task.",
            Self::Redeclared(_) | Self::UnknownWeight(_) => {
                "This is a defect of ocelli: please report it with the model's config.json."
            }
        }
        .into()
    }
}

/// Extents of what a graph holds.
pub trait Extents {
    /// Rows and width of a value.
    fn value(&self, value: Value) -> [usize; 2];
    /// N and K of a weight, K as it is, without padding.
    fn weight(&self, weight: WeightId) -> [usize; 2];
}

/// The shapes of an operation's operands, and the checks that say which of them disagree.
pub struct Shapes<'a> {
    node: &'a str,
    extents: &'a dyn Extents,
}

impl<'a> Shapes<'a> {
    /// For the operation that defines the value `node`.
    pub fn new(node: &'a str, extents: &'a dyn Extents) -> Self {
        Self { node, extents }
    }

    /// Rows and width of a value.
    pub fn of(&self, value: Value) -> [usize; 2] {
        self.extents.value(value)
    }

    /// Rows of a value.
    pub fn rows(&self, value: Value) -> usize {
        self.of(value)[0]
    }

    /// Width of a value.
    pub fn width(&self, value: Value) -> usize {
        self.of(value)[1]
    }

    /// Elements of a value.
    pub fn elements(&self, value: Value) -> usize {
        self.of(value).iter().product()
    }

    /// N and K of a weight.
    pub fn weight(&self, weight: WeightId) -> [usize; 2] {
        self.extents.weight(weight)
    }

    /// Fails unless two extents agree.
    pub fn equal(&self, what: &'static str, found: usize, expected: usize) -> Result<(), ShapeError> {
        if found == expected {
            return Ok(());
        }
        Err(ShapeError::Mismatch { node: self.node.into(), what, found, expected })
    }

    /// Fails unless `supports` holds.
    pub fn supported(
        &self,
        what: &'static str,
        found: impl ToString,
        supports: bool,
        supported: &'static str,
    ) -> Result<(), ShapeError> {
        if supports {
            return Ok(());
        }
        Err(ShapeError::Unsupported { node: self.node.into(), what, found: found.to_string(), supported })
    }

    /// Fails unless kernels can address rows of this width as whole vectors.
    pub fn whole_vectors(&self, width: usize) -> Result<(), ShapeError> {
        self.supported("the width", width, width.is_multiple_of(4), "a multiple of 4")
    }
}
