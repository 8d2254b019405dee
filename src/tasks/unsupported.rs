use super::model::Driver;
use crate::base::{ErrorKind, LayerError, Remedy};

/// A task that a model cannot do.
#[derive(Debug, thiserror::Error)]
#[error("{task}: a {architecture} cannot do this")]
pub(super) struct Unsupported {
    task: &'static str,
    architecture: &'static str,
    can: Vec<&'static str>,
}

impl Unsupported {
    pub fn of(model: &Driver, task: &'static str) -> Self {
        Self { task, architecture: model.session().architecture().name(), can: model.tasks() }
    }
}

impl LayerError for Unsupported {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unsupported
    }

    fn remedy(&self) -> Remedy {
        format!("Use a model that can, or ask this one for what it can do: {}.", self.can.join(", ")).into()
    }
}
