use serde_json::Value;

use super::paligemma::{self, Preset};
use super::siglip;
use crate::base::Result;
use crate::format::ModelFiles;

/// The `config.json` of a model; for big_vision's weights without one, what their shapes and a preset tell. The preset is
/// returned, too, where there was one to choose.
///
/// # Errors
/// No `config.json` and no such weights, sizes that no model has, a preset that does not fit.
pub fn config_json(files: &dyn ModelFiles, preset: Option<Preset>) -> Result<(Value, Option<Preset>)> {
    if files.get("config.json").is_none()
        && preset.is_none()
        && let Some(json) = siglip::config_of_archive(files)?
    {
        return Ok((json, None));
    }
    paligemma::config_json(files, preset)
}
