use super::{ErrorKind, LayerError, Remedy};

/// A field of a model's JSON file that cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{place} is {found}, expected {expected}")]
pub struct FieldError {
    pub(super) kind: ErrorKind,
    /// File and field: `config.json: text_config.head_dim`.
    pub(super) place: String,
    /// The value as JSON, or `missing`.
    pub(super) found: String,
    pub(super) expected: String,
    pub(super) remedy: String,
}

impl FieldError {
    /// The same error with another remedy.
    #[must_use]
    pub fn with_remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: remedy.into(), ..self }
    }
}

impl LayerError for FieldError {
    fn kind(&self) -> ErrorKind {
        self.kind
    }

    fn remedy(&self) -> Remedy {
        self.remedy.clone().into()
    }
}
