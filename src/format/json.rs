use serde_json::Value;

use super::{FormatError, ModelFiles};

/// Reads a JSON file of a model.
///
/// # Errors
/// No such file, or a syntax error, with its line and column.
pub fn read_json(files: &dyn ModelFiles, name: &str) -> Result<Value, FormatError> {
    let missing = || FormatError::Missing { name: name.into(), place: files.place().into() };
    let bytes = files.get(name).ok_or_else(missing)?;
    serde_json::from_slice(bytes).map_err(|error| FormatError::Json { file: name.into(), reason: error.to_string() })
}
