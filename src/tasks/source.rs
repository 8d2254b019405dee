use std::path::Path;

use crate::base::Result;
use crate::format::Directory;
use crate::models::paligemma::MASK_DECODER_FILES;

/// The files of a model on disk: a folder, or an archive of weights and what lies beside it.
///
/// # Errors
/// As of [`Directory::open`].
pub fn open(path: impl AsRef<Path>) -> Result<Directory> {
    Ok(Directory::open_with(path, MASK_DECODER_FILES)?)
}
