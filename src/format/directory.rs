use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use memmap2::Mmap;

use super::{ExtraFile, FormatError, ModelFiles, is_legal_text};

/// A folder on disk, its files mapped into memory: weights are read from the page cache as they are needed.
#[derive(Debug)]
pub struct Directory {
    place: String,
    files: BTreeMap<String, Mapped>,
}

#[derive(Debug)]
struct Mapped {
    /// `None` is an empty file, which cannot be mapped.
    bytes: Option<Mmap>,
    written: Option<SystemTime>,
}

impl Directory {
    /// Opens the JSON, safetensors, npz and bin files of a folder, and its licence texts. The path of an npz file is
    /// that file with what lies beside it, but for other weights.
    ///
    /// # Errors
    /// No such folder, or a file in it that cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FormatError> {
        Self::open_with(path, &[])
    }

    /// The same, with some files of weights that are kept beside an npz file.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, beside: &[ExtraFile]) -> Result<Self, FormatError> {
        let path = path.as_ref();
        if path.extension().is_none_or(|kind| kind != "npz") || path.is_dir() {
            return Self::open_folder(path);
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut files = Self::open_folder(folder)?;
        let kept = |file: &str| file == name || beside.iter().any(|extra| extra.file == file);
        files.files.retain(|file, _| kept(file) || !is_weights(file));
        if !files.files.contains_key(&name) {
            return Err(FormatError::Missing { name, place: files.place });
        }
        files.place = path.display().to_string();
        Ok(files)
    }

    /// Adds a file from elsewhere under a name, in the place of one by that name.
    ///
    /// # Errors
    /// No such file, or one that cannot be opened.
    pub fn add(&mut self, name: &str, path: impl AsRef<Path>) -> Result<(), FormatError> {
        let path = path.as_ref();
        self.files.insert(name.into(), map(path).map_err(|error| unreadable(path, &error))?);
        Ok(())
    }

    fn open_folder(path: &Path) -> Result<Self, FormatError> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(path).map_err(|error| unreadable(path, &error))? {
            let entry = entry.map_err(|error| unreadable(path, &error))?.path();
            let Some(name) = entry.file_name() else { continue };
            let kind = entry.extension().unwrap_or_default();
            let known = ["json", "safetensors", "npz", "bin", "model"].iter().any(|known| kind == *known);
            if !known && !is_legal_text(&name.to_string_lossy()) || entry.is_dir() {
                continue;
            }
            let mapped = map(&entry).map_err(|error| unreadable(&entry, &error))?;
            files.insert(name.to_string_lossy().into_owned(), mapped);
        }
        Ok(Self { place: path.display().to_string(), files })
    }
}

/// Whether a file holds weights, or says which files do.
fn is_weights(name: &str) -> bool {
    [".npz", ".safetensors", ".safetensors.index.json"].iter().any(|ending| name.ends_with(ending))
}

fn map(path: &Path) -> io::Result<Mapped> {
    let file = File::open(path)?;
    let data = file.metadata()?;
    let written = data.modified().ok();
    if data.len() == 0 {
        return Ok(Mapped { bytes: None, written });
    }
    // SAFETY: nothing is written through the map. Somebody else who shortens the file meanwhile ends the process, as
    // with every program that maps model files; copying them instead would double the memory of a load.
    let bytes = unsafe { Mmap::map(&file) }.map(Some)?;
    Ok(Mapped { bytes, written })
}

fn unreadable(path: &Path, error: &io::Error) -> FormatError {
    FormatError::Unreadable {
        path: path.display().to_string(),
        missing: error.kind() == io::ErrorKind::NotFound,
        reason: error.to_string(),
    }
}

impl ModelFiles for Directory {
    fn get(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(|mapped| mapped.bytes.as_deref().unwrap_or_default())
    }

    fn place(&self) -> &str {
        &self.place
    }

    fn names(&self) -> Vec<&str> {
        self.files.keys().map(String::as_str).collect()
    }

    fn written(&self, name: &str) -> Option<SystemTime> {
        self.files.get(name)?.written
    }
}
