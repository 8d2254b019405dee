//! An index of the pictures of a folder: made, taken up again where it was left, and searched.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};

use serde::Serialize;

use super::{GenerateOptions, Model, Outcome, Task, decode_picture};
use crate::base::{Error, ErrorKind, LayerError, Remedy, Result};
use crate::generate::Call;
use crate::image::Rgb8;
use crate::search::{IndexModel, Source, VectorIndex};
use crate::session::CancelToken;

/// How files of pictures end.
const ENDINGS: [&str; 6] = ["png", "jpg", "jpeg", "webp", "gif", "bmp"];
/// Pictures that are embedded together.
const BATCH: usize = 8;
/// What is done is written to disk this often, so that a crash costs no more.
const SAVE_EVERY: Duration = Duration::from_secs(20);

/// What came of indexing a folder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Indexed {
    /// Pictures that were embedded.
    pub indexed: usize,
    /// Pictures that had not changed since they were embedded.
    pub skipped: usize,
    /// Vectors of pictures that are gone.
    pub removed: usize,
    /// Pictures that could not be embedded, each by itself.
    pub failed: Vec<FailedPicture>,
    /// How long it took.
    pub seconds: f64,
}

/// A picture that could not be embedded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedPicture {
    /// Its path below the folder.
    pub source: String,
    /// Why.
    pub error: String,
}

/// An index that cannot be used with a model, or files that cannot.
#[derive(Debug, thiserror::Error)]
enum FolderError {
    #[error("the index was made by another model, {index} ({index_dtype}); this one is {model} ({model_dtype})")]
    OtherModel { index: String, index_dtype: String, model: String, model_dtype: String },
    #[error("cannot read {}: {reason}", .path.display())]
    Read { path: PathBuf, reason: io::Error },
    #[error("cannot write {}: {reason}", .path.display())]
    Write { path: PathBuf, reason: io::Error },
    #[error("{} is no folder", .0.display())]
    NoFolder(PathBuf),
}

impl LayerError for FolderError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::OtherModel { .. } => ErrorKind::BadArgument,
            Self::Read { reason, .. } if reason.kind() == io::ErrorKind::NotFound => ErrorKind::NotFound,
            Self::Read { .. } | Self::Write { .. } => ErrorKind::Io,
            Self::NoFolder(_) => ErrorKind::NotFound,
        }
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::OtherModel { .. } => "Use the model and dtype of the index, or make another index.",
            Self::Read { .. } => "Check the path and that the file may be read.",
            Self::Write { .. } => "Check that the folder exists, may be written to and has room.",
            Self::NoFolder(_) => "Name a folder with pictures.",
        }
        .into()
    }
}

/// The model as an index knows it.
pub fn index_model(model: &Model, checksum: String) -> IndexModel {
    IndexModel { checksum, dtype: model.dtype().name().into() }
}

/// Reads an index that a model made.
///
/// # Errors
/// A file that is not there, is damaged, or was made by another model.
pub fn open_index(path: &Path, model: &IndexModel) -> Result<VectorIndex> {
    let bytes = fs::read(path).map_err(|reason| FolderError::Read { path: path.into(), reason })?;
    let index = VectorIndex::read(&bytes)?;
    let made_by = index.model();
    if made_by != model {
        let short = |checksum: &str| checksum.chars().take(12).collect::<String>();
        return Err(FolderError::OtherModel {
            index: short(&made_by.checksum),
            index_dtype: made_by.dtype.clone(),
            model: short(&model.checksum),
            model_dtype: model.dtype.clone(),
        }
        .into());
    }
    Ok(index)
}

/// Embeds the pictures of a folder and of those below it that the index at `out` does not hold as they are, and writes the
/// index. `progress` is told how many of how many are done. Cancelled, it leaves an index of what was done.
///
/// # Errors
/// A folder that cannot be read, an index of another model, a model that embeds no pictures, a cancelled token.
pub async fn index_folder(
    model: &mut Model,
    identity: IndexModel,
    folder: &Path,
    out: &Path,
    cancel: &CancelToken,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Indexed> {
    let start = Instant::now();
    let found = pictures(folder)?;
    let mut index = match out.exists() {
        true => Some(open_index(out, &identity)?),
        false => None,
    };
    let mut report = Indexed { indexed: 0, skipped: 0, removed: 0, failed: Vec::new(), seconds: 0.0 };
    if let Some(index) = &mut index {
        let names: Vec<String> = index.sources().iter().map(|source| source.name.clone()).collect();
        // They are in order of their names.
        let gone = |name: &&String| found.binary_search_by(|source| source.name.cmp(name)).is_err();
        for name in names.iter().filter(gone) {
            index.remove(name);
            report.removed += 1;
        }
    }
    let known = |source: &&Source| index.as_ref().and_then(|index| index.source(&source.name)) == Some(*source);
    let (same, new): (Vec<&Source>, Vec<&Source>) = found.iter().partition(known);
    report.skipped = same.len();
    let mut saved = Instant::now();
    let mut done = same.len();
    for batch in new.chunks(BATCH) {
        if cancel.check().is_err() {
            break;
        }
        let (mut sources, mut pictures) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
        for source in batch {
            match picture(folder, source) {
                Ok(picture) => {
                    sources.push(*source);
                    pictures.push(picture);
                }
                Err(error) => report.failed.push(failed(source, &error)),
            }
        }
        let vectors = embed(model, &pictures).await?;
        for (source, vector) in sources.into_iter().zip(&vectors) {
            let index = index.get_or_insert_with(|| VectorIndex::new(vector.len(), identity.clone()));
            match index.add(source.clone(), vector) {
                true => report.indexed += 1,
                false => report.failed.push(FailedPicture {
                    source: source.name.clone(),
                    error: "the model makes no vector of it that has a length".into(),
                }),
            }
        }
        done += batch.len();
        progress(done, found.len());
        if saved.elapsed() > SAVE_EVERY
            && let Some(index) = &index
        {
            save(out, index)?;
            saved = Instant::now();
        }
    }
    if let Some(index) = &index {
        save(out, index)?;
    }
    cancel.check()?;
    report.seconds = start.elapsed().as_secs_f64();
    Ok(report)
}

async fn embed(model: &mut Model, pictures: &[Rgb8]) -> Result<Vec<Vec<f32>>> {
    if pictures.is_empty() {
        return Ok(Vec::new());
    }
    let (task, options) = (Task::Embed { texts: Vec::new() }, GenerateOptions::default());
    let done = model.run_task(pictures, &task, &options, &Call::default(), &mut |_| ()).await?;
    let Outcome::Embeddings { width, values, .. } = done.outcome else { return Ok(Vec::new()) };
    Ok(values.chunks_exact(width.max(1)).map(<[f32]>::to_vec).collect())
}

fn picture(folder: &Path, source: &Source) -> Result<Rgb8> {
    let path = folder.join(&source.name);
    let bytes = fs::read(&path).map_err(|reason| FolderError::Read { path: path.clone(), reason })?;
    Ok(decode_picture(&bytes, &source.name)?)
}

fn failed(source: &Source, error: &Error) -> FailedPicture {
    FailedPicture { source: source.name.clone(), error: error.to_string() }
}

/// The pictures of a folder and of those below it, by their paths in it with `/` between; hidden ones are left out.
fn pictures(folder: &Path) -> Result<Vec<Source>> {
    if !folder.is_dir() {
        return Err(FolderError::NoFolder(folder.into()).into());
    }
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(at) = folders.pop() {
        let reading = |reason| FolderError::Read { path: at.clone(), reason };
        for entry in fs::read_dir(&at).map_err(reading)? {
            let entry = entry.map_err(reading)?;
            let (path, name) = (entry.path(), entry.file_name());
            if name.to_string_lossy().starts_with('.') {
                continue;
            }
            // A link is followed where it leads to a file, but not to a folder: those can go round in circles.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
                continue;
            }
            let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
            let data = fs::metadata(&path);
            let (Some(ending), Ok(data)) = (ending, data) else { continue };
            if !ENDINGS.contains(&ending.as_str()) || !data.is_file() {
                continue;
            }
            let changed = data.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
            let below = path.strip_prefix(folder).unwrap_or(&path);
            let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            found.push(Source {
                name: parts.join("/"),
                size: data.len(),
                modified: changed.map_or(0, |since| since.as_millis() as u64),
            });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Writes the index beside its place and moves it there: whoever reads meanwhile sees the old one or the new one.
fn save(path: &Path, index: &VectorIndex) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let writing = |reason| FolderError::Write { path: path.into(), reason };
    fs::write(&part, index.write()).map_err(writing)?;
    fs::rename(&part, path).map_err(writing)?;
    Ok(())
}
