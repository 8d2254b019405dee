//! What can go wrong at the edge itself, and how any error is told.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ocelli::base::{Details, Error, ErrorKind, LayerError, Remedy};
use ocelli::tasks::Dtype;
use serde::Serialize;

use super::{json, remedy};

/// A fault of the command line, not of the library.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Arguments that do not parse.
    #[error("{0}")]
    Usage(String),
    /// A name that nothing on this machine has.
    #[error("no player is called {wanted:?}; there are {found}")]
    NoPlayer { wanted: String, found: String },
    /// The model of the bench does not do what the bench measures.
    #[error("the model answered {answer} tokens to a prompt of {prompt}, expected 33 to 16")]
    BenchModel { prompt: usize, answer: usize },
    /// A pack that holds its weights in another dtype than asked for.
    #[error("this pack holds its weights as {held}, not as {wanted}")]
    PackDtype { wanted: Dtype, held: Dtype },
    /// A task whose answer is words alone.
    #[error("nothing to write to {}: this task is answered in words alone", .0.display())]
    NothingToWrite(PathBuf),
    /// A program that was built without the model of its own.
    #[error("this program was built without its small model, for which a registry's package has no room")]
    NoEmbedded,
    /// A file that cannot be read.
    #[error("cannot read {}: {reason}", .path.display())]
    Read { path: PathBuf, kind: ErrorKind, reason: io::Error },
    /// A file that cannot be written.
    #[error("cannot write {}: {reason}", .path.display())]
    Write { path: PathBuf, reason: io::Error },
    /// Standard output that cannot be written.
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
    /// Ctrl-C cannot be caught.
    #[error("cannot catch interrupts: {0}")]
    Interrupt(ctrlc::Error),
}

impl CliError {
    pub fn usage(error: &clap::Error) -> Self {
        let text = error.to_string();
        let first = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect::<Vec<_>>().join(" ");
        Self::Usage(first.trim_start_matches("error: ").to_owned())
    }

    pub fn reading(path: &Path, reason: io::Error) -> Self {
        let kind = if reason.kind() == io::ErrorKind::NotFound { ErrorKind::NotFound } else { ErrorKind::Io };
        Self::Read { path: path.into(), kind, reason }
    }

    pub fn writing(path: &Path, reason: io::Error) -> Self {
        Self::Write { path: path.into(), reason }
    }
}

impl LayerError for CliError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Usage(_) | Self::NoPlayer { .. } | Self::PackDtype { .. } | Self::NothingToWrite(_) => {
                ErrorKind::BadArgument
            }
            Self::BenchModel { .. } => ErrorKind::BadModelFile,
            Self::NoEmbedded => ErrorKind::NotFound,
            Self::Read { kind, .. } => *kind,
            Self::Write { .. } | Self::Output(_) | Self::Interrupt(_) => ErrorKind::Io,
        }
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::Usage(_) => "See `ocelli --help`.".into(),
            Self::NoPlayer { .. } => "Use `cpu` or part of a name that `ocelli devices` lists.".into(),
            Self::BenchModel { .. } => "Remove the folder, or name an empty one with --model.".into(),
            Self::PackDtype { .. } => "Leave --dtype out, or convert the checkpoint to another pack.".into(),
            Self::NothingToWrite(_) => "Leave --out out, and send the output to a file.".into(),
            Self::NoEmbedded => {
                "Name a model's folder with --model: that one is models/tiny in the npm package `ocelli`. Or build the \
                 program from its repository, with `cargo install --path .`."
                    .into()
            }
            Self::Read { .. } => "Check the path and that the file may be read.".into(),
            Self::Write { .. } => "Check that the folder exists, may be written to and has room.".into(),
            Self::Output(_) => "Check where the output goes.".into(),
            Self::Interrupt(_) => "Run it where signals can be handled.".into(),
        }
    }
}

/// Exit status after an interrupt, as shells expect it: 128 + SIGINT.
pub const INTERRUPTED: u8 = 130;

#[derive(Serialize)]
struct Report<'a> {
    error: ReportBody<'a>,
}

#[derive(Serialize)]
struct ReportBody<'a> {
    code: &'a str,
    message: String,
    remedy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<DetailsBody>,
}

/// Figures to act on; those that there are.
#[derive(Serialize)]
struct DetailsBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    needed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fits: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fits_bytes: Option<u64>,
}

impl From<Details> for DetailsBody {
    fn from(Details { needed, available, fits }: Details) -> Self {
        Self { needed, available, fits: fits.map(|fit| fit.dtype), fits_bytes: fits.map(|fit| fit.bytes) }
    }
}

/// Tells the user and gives the exit status: 2 for wrong arguments, 130 when cancelled, otherwise 1.
///
/// With `--json` one object goes to standard output; otherwise sentences go to standard error.
pub fn report(error: &Error, as_json: bool) -> ExitCode {
    // Where even this cannot be written there is no one to tell; the exit status still says it.
    let _ = if as_json {
        let details = error.details();
        let error = ReportBody {
            code: error.code(),
            message: error.to_string(),
            remedy: remedy::told(error),
            details: (details != Details::default()).then(|| details.into()),
        };
        json::print(&Report { error }).map_err(|_| ())
    } else {
        let text = format!("error: {error}\n       {} [{}]\n", remedy::told(error), error.code());
        io::stderr().write_all(text.as_bytes()).map_err(|_| ())
    };
    match error.kind() {
        ErrorKind::BadArgument => ExitCode::from(2),
        ErrorKind::Cancelled => ExitCode::from(INTERRUPTED),
        _ => ExitCode::FAILURE,
    }
}
