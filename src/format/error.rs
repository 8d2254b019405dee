use crate::base::{ErrorKind, LayerError, Remedy};

/// What is wrong with a model's files.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// A file or folder that is not there.
    #[error("{name} is missing in {place}")]
    Missing {
        /// The file.
        name: String,
        /// Where it was looked for.
        place: String,
    },
    /// A file or folder that cannot be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// Its path.
        path: String,
        /// Nothing is there by that name.
        missing: bool,
        /// What the system says.
        reason: String,
    },
    /// A JSON file that is none.
    #[error("{file} is not valid JSON: {reason}")]
    Json {
        /// The file.
        file: String,
        /// What was expected, with line and column.
        reason: String,
    },
    /// A weights file that contradicts itself.
    #[error("{file}: {what} is {found}, expected {expected}")]
    Weights {
        /// The file.
        file: String,
        /// What is wrong, with the tensor's name where it is one's.
        what: String,
        /// What it is.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// A tensor that the model needs.
    #[error("the checkpoint has no tensor {name}")]
    NoTensor {
        /// Its canonical name.
        name: String,
    },
    /// A tensor whose elements are no floats that weights are stored in.
    #[error("tensor {name} is stored as {found}, expected F32, F16 or BF16")]
    Dtype {
        /// Its name.
        name: String,
        /// How it is stored.
        found: String,
    },
    /// Rows that a tensor does not have.
    #[error("rows {first}..{end} were asked of tensor {name}, which has {rows}")]
    Rows {
        /// Its name.
        name: String,
        /// First row asked for.
        first: usize,
        /// The row after the last.
        end: usize,
        /// Rows there are.
        rows: usize,
    },
    /// A part that a pack does not have.
    #[error("the pack has no part {name:?}")]
    NoPart {
        /// The part.
        name: String,
    },
    /// Several archives of weights in one folder.
    #[error("{names} are both in {place}")]
    SeveralArchives {
        /// Two of them.
        names: String,
        /// The folder.
        place: String,
    },
    /// Weights in a NumPy archive, in a build that reads none.
    #[error("{name} in {place} is a NumPy archive, and this build of the library reads none")]
    NoArchives {
        /// The archive.
        name: String,
        /// Where it is.
        place: String,
    },
    /// Two tensors that the architecture takes for one.
    #[error("{tensor} differs from {other}, and both are one tensor in this architecture")]
    Untied {
        /// The name of the one in its file.
        tensor: String,
        /// The other's.
        other: String,
    },
}

impl LayerError for FormatError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Missing { .. } | Self::Unreadable { missing: true, .. } => ErrorKind::NotFound,
            Self::Unreadable { .. } => ErrorKind::Io,
            Self::Json { file, .. } if file.ends_with("config.json") => ErrorKind::BadConfig,
            Self::Json { .. } | Self::Weights { .. } => ErrorKind::BadModelFile,
            Self::NoTensor { .. } => ErrorKind::BadModelFile,
            Self::Dtype { .. } | Self::Untied { .. } | Self::NoArchives { .. } => ErrorKind::Unsupported,
            Self::SeveralArchives { .. } | Self::NoPart { .. } => ErrorKind::BadArgument,
            Self::Rows { .. } => ErrorKind::Internal,
        }
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::Missing { .. } => "Name a folder with all files of the checkpoint; download what is missing.",
            Self::Unreadable { missing: true, .. } => "Check the path.",
            Self::Unreadable { .. } => "Check that the file may be read.",
            Self::Json { .. } | Self::Weights { .. } => "Download the file again; it is damaged or not what it claims.",
            Self::NoTensor { .. } => "Check that all files are of one checkpoint and none is missing.",
            Self::Dtype { .. } => "Use a checkpoint with float weights.",
            Self::Untied { .. } => "Use a checkpoint in which they are tied, as in those that were published.",
            Self::SeveralArchives { .. } => "Name the one to read instead of the folder.",
            Self::NoPart { .. } => "Name one that is among the `parts` of its ocelli.json.",
            Self::NoArchives { .. } => {
                "Convert it with the command line, `ocelli convert`, or build the library with its feature `npz`."
            }
            Self::Rows { .. } => "Please report this as a defect.",
        }
        .into()
    }
}
