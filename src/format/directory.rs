use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use memmap2::Mmap;

use super::{FormatFault, ModelFiles};

/// A folder on disk, its files mapped into memory: weights are read from the page cache as they are needed.
#[derive(Debug)]
pub struct Directory {
    place: String,
    /// `None` is an empty file, which cannot be mapped.
    files: BTreeMap<String, Option<Mmap>>,
}

impl Directory {
    /// Opens the JSON, safetensors, npz and bin files of a folder, and its licence.
    ///
    /// # Errors
    /// No such folder, or a file in it that cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FormatFault> {
        let path = path.as_ref();
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(path).map_err(|error| unreadable(path, &error))? {
            let entry = entry.map_err(|error| unreadable(path, &error))?.path();
            let Some(name) = entry.file_name() else { continue };
            let kind = entry.extension().unwrap_or_default();
            let licence = name.to_string_lossy().to_ascii_lowercase().starts_with("licen");
            if !["json", "safetensors", "npz", "bin"].iter().any(|known| kind == *known) && !licence || entry.is_dir() {
                continue;
            }
            let mapped = map(&entry).map_err(|error| unreadable(&entry, &error))?;
            files.insert(name.to_string_lossy().into_owned(), mapped);
        }
        Ok(Self { place: path.display().to_string(), files })
    }
}

fn map(path: &Path) -> io::Result<Option<Mmap>> {
    let file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(None);
    }
    // SAFETY: nothing is written through the map. Somebody else who shortens the file meanwhile ends the process, as
    // with every program that maps model files; copying them instead would double the memory of a load.
    unsafe { Mmap::map(&file) }.map(Some)
}

fn unreadable(path: &Path, error: &io::Error) -> FormatFault {
    FormatFault::Unreadable {
        path: path.display().to_string(),
        missing: error.kind() == io::ErrorKind::NotFound,
        reason: error.to_string(),
    }
}

impl ModelFiles for Directory {
    fn get(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(|mapped| mapped.as_deref().unwrap_or_default())
    }

    fn place(&self) -> &str {
        &self.place
    }
}
