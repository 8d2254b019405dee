//! What a device cannot do is said before the first weight is read.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use ocelli::format::Directory;
use ocelli::tasks::{ConvertOptions, Dtype, Model, convert};
use pollster::block_on;

use super::asking::{options, told};
use super::golden::{folder, same};
use super::pool::{self, Place};
use crate::scratch::scratch;

/// Room for every table, which is cut up where it has to be, but not for the queries of a pass, which cannot be.
const BINDING: usize = 64 << 10;

/// A checkpoint, and a pack of it, whose passes do not fit the bindings.
pub fn refused_before_the_first_weight(place: Place) -> Result<(), String> {
    let checkpoint = folder("goldens").join("pg1-hd72");
    for directory in [packed(&checkpoint)?, checkpoint] {
        let files = told(Directory::open(&directory))?;
        let read = Cell::new(0);
        let loaded =
            block_on(Model::load(&files, pool::open(place, Some(BINDING))?, options(Dtype::Q8), || 0.0, &mut |_| {
                read.set(read.get() + 1);
                Ok(())
            }));
        let error = loaded.err().ok_or("it was loaded")?;
        same(&format!("{}: {error}", directory.display()), error.code(), "OCELLI_DEVICE_LIMIT")?;
        same("parts read", read.get(), 0)?;
    }
    Ok(())
}

fn packed(checkpoint: &Path) -> Result<PathBuf, String> {
    let target = scratch(format!("limits-{}", std::process::id()));
    let options = ConvertOptions { dtype: Dtype::Q8, shard_bytes: 16 << 20, keep_f16: Vec::new(), preset: None };
    told(convert(&told(Directory::open(checkpoint))?, &target, &options, &mut |_| Ok(())))?;
    Ok(target)
}
