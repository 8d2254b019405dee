//! Where tests put what they write.

use std::fs;
use std::path::{Path, PathBuf};

/// A path in a folder that is there: cargo's own for tests, or `tmp` in the folder that `OCELLI_TEST_ROOT` names.
pub fn scratch(name: impl AsRef<Path>) -> PathBuf {
    let carried = std::env::var_os("OCELLI_TEST_ROOT").map(|root| Path::new(&root).join("tmp"));
    let folder = carried.unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").into());
    fs::create_dir_all(&folder).expect("the folder of what tests write is made");
    folder.join(name)
}
