use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::WeightGroup;
use super::format1::{self, FORMAT_1};
use crate::base::{ErrorKind, LayerError, Remedy};
use crate::format::FormatError;
use crate::tensor::Dtype;

/// The file that makes a folder a pack.
pub const MANIFEST: &str = "ocelli.json";
/// The format that this version writes. It reads the one before, too.
pub const FORMAT: u32 = 2;

/// A file of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name beside the manifest.
    pub file: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256 in lower-case hexadecimal digits.
    pub sha256: String,
}

/// What a pack says of itself, whatever format it was read from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// The architecture of the model, by the name that it has in its `config.json`.
    pub architecture: String,
    /// The checksum of the checkpoint that it was made of: the same in whatever dtype.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// How matrices are stored.
    #[serde(with = "dtype_name")]
    pub dtype: Dtype,
    /// Matrices that are stored as f16 all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub f16: Vec<String>,
    /// The model's `config.json`.
    pub config: Value,
    /// The model's `preprocessor_config.json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processor: Option<Value>,
    /// The model's `generation_config.json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<Value>,
    /// What the model's `tokenizer_config.json` says of how texts are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizer_config: Option<Value>,
    /// The tokenizer, if the architecture reads text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<FileEntry>,
    /// The licence of the weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<FileEntry>,
    /// Further texts that came with it: notices, licences of parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<FileEntry>,
    /// The weights, part by part in order of execution.
    #[serde(rename = "parts")]
    pub groups: Vec<WeightGroup>,
}

/// A pack of a format that this version does not know.
#[derive(Debug, thiserror::Error)]
#[error("{MANIFEST} is of format {found}, and this version reads {FORMAT_1} and {FORMAT}")]
struct OtherFormat {
    found: u64,
}

impl LayerError for OtherFormat {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unsupported
    }

    fn remedy(&self) -> Remedy {
        "Use the version of ocelli that the pack was made with, or convert the model again.".into()
    }
}

impl Manifest {
    /// Reads `ocelli.json`.
    ///
    /// # Errors
    /// No JSON, another format, or an entry that cannot be: the message says which.
    pub fn parse(bytes: &[u8]) -> crate::base::Result<Self> {
        let bad = |error: serde_json::Error| FormatError::Json { file: MANIFEST.into(), reason: error.to_string() };
        let json: Value = serde_json::from_slice(bytes).map_err(bad)?;
        let format = json.get("format").cloned().unwrap_or_default();
        let manifest = match format.as_u64() {
            Some(1) => format1::read(json).map_err(bad)?,
            Some(2) => Self::deserialize(json).map_err(bad)?,
            Some(found) => return Err(OtherFormat { found }.into()),
            None => return Err(strange("its format", format.to_string(), "a number").into()),
        };
        let mut names = HashSet::from([MANIFEST]);
        for file in manifest.files() {
            file.check()?;
            if !names.insert(&file.file) {
                return Err(strange(&format!("the file {}", file.file), "listed twice".into(), "listed once").into());
            }
        }
        Ok(manifest)
    }

    /// The shards of all groups, in their order.
    pub fn shards(&self) -> impl Iterator<Item = &FileEntry> {
        self.groups.iter().flat_map(|group| &group.shards)
    }

    /// All files of the pack but the manifest.
    pub fn files(&self) -> impl Iterator<Item = &FileEntry> {
        self.shards().chain(&self.tokenizer).chain(&self.licence).chain(&self.notices)
    }
}

/// What a manifest cannot say.
fn strange(what: &str, found: String, expected: &str) -> FormatError {
    FormatError::Weights { file: MANIFEST.into(), what: what.into(), found, expected: expected.into() }
}

impl FileEntry {
    /// A file lies beside its manifest: a manifest must not send its reader elsewhere.
    fn check(&self) -> Result<(), FormatError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if self.file.is_empty() || self.file.starts_with(['.', '-']) || !self.file.chars().all(plain) {
            return Err(strange("the name of a file", format!("{:?}", self.file), "a plain file name"));
        }
        Ok(())
    }
}

mod dtype_name {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::tensor::Dtype;

    pub fn serialize<S: Serializer>(dtype: &Dtype, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(dtype.name())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Dtype, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = [Dtype::F32, Dtype::F16, Dtype::Q8, Dtype::Q4].into_iter().find(|dtype| dtype.name() == name);
        known.ok_or_else(|| Error::custom(format!("the dtype {name:?}; expected f32, f16, q8 or q4")))
    }
}
