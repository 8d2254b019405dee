//! Where tests find what they read.

use std::path::PathBuf;

/// The folder that holds `tests`, `web` and `src` as the repository does: the checkout that the tests were built in, or
/// the one that `OCELLI_TEST_ROOT` names, so that built tests run on a machine without it.
pub fn root() -> PathBuf {
    std::env::var_os("OCELLI_TEST_ROOT").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}
