//! The safetensors container: 8 bytes of header length, a JSON header, tensor data.
//!
//! <https://github.com/huggingface/safetensors#format>. Files come from strangers, so every number of the header is
//! checked against the file before it is used.

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::FormatError;
use crate::base::sort_by_key;

/// A tensor of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    /// As the file says: `F32`, `BF16`, `I64`, ...
    pub dtype: String,
    pub shape: Vec<usize>,
    /// Its bytes in the file.
    pub bytes: Range<usize>,
}

/// The largest header that is read: tens of times that of the largest models, and the format's own limit.
const MAX_HEADER: usize = 100_000_000;

/// Bytes of an element, for the dtypes that the format had when this was written.
fn element_bytes(dtype: &str) -> Option<usize> {
    Some(match dtype {
        "BOOL" | "U8" | "I8" | "F8_E5M2" | "F8_E4M3" => 1,
        "U16" | "I16" | "F16" | "BF16" => 2,
        "U32" | "I32" | "F32" => 4,
        "U64" | "I64" | "F64" => 8,
        _ => return None,
    })
}

/// Reads a file's header and checks it: every tensor lies in the file, has the bytes that its shape needs, and shares
/// none with another.
pub fn parse(file: &str, bytes: &[u8]) -> Result<Vec<Entry>, FormatError> {
    let fault = |what: &str, found: String, expected: String| FormatError::Weights {
        file: file.into(),
        what: what.into(),
        found,
        expected,
    };
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return Err(fault("the file's length", format!("{} bytes", bytes.len()), "at least 8 bytes".into()));
    };
    let length = u64::from_le_bytes(*length);
    let room = rest.len().min(MAX_HEADER);
    let header = usize::try_from(length).ok().filter(|&n| n <= room).and_then(|n| rest.split_at_checked(n));
    let Some((header, data)) = header else {
        return Err(fault("the header's length", format!("{length} bytes"), format!("at most {room} bytes")));
    };
    let raw: Header = serde_json::from_slice(header)
        .map_err(|error| FormatError::Json { file: format!("the header of {file}"), reason: error.to_string() })?;
    let start = 8 + header.len();
    let mut entries = Vec::with_capacity(raw.0.len());
    for (name, tensor) in raw.0 {
        let [first, end] = tensor.data_offsets;
        if first > end || end > data.len() {
            let found = format!("{first}..{end}");
            return Err(fault(&format!("the place of {name}"), found, format!("within 0..{}", data.len())));
        }
        let elements = tensor.shape.iter().try_fold(1usize, |n, &extent| n.checked_mul(extent));
        if let Some(size) = element_bytes(&tensor.dtype) {
            let needed = elements.and_then(|n| n.checked_mul(size));
            if needed != Some(end - first) {
                let expected = format!("what {} {:?} takes", tensor.dtype, tensor.shape);
                return Err(fault(&format!("the size of {name}"), format!("{} bytes", end - first), expected));
            }
        }
        entries.push(Entry { name, dtype: tensor.dtype, shape: tensor.shape, bytes: start + first..start + end });
    }
    contiguous(&entries, start, bytes.len()).map_err(|(name, found, expected)| {
        fault(&format!("the start of {name}"), format!("byte {found}"), format!("byte {expected}"))
    })?;
    Ok(entries)
}

/// Fails with the first tensor that does not start where the one before it ends, as `(name, found, expected)`.
fn contiguous(entries: &[Entry], start: usize, end: usize) -> Result<(), (String, usize, usize)> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sort_by_key(&mut sorted, |entry| (entry.bytes.start, entry.bytes.end));
    let mut at = start;
    for entry in sorted {
        if entry.bytes.start != at {
            return Err((entry.name.clone(), entry.bytes.start, at));
        }
        at = entry.bytes.end;
    }
    if at == end { Ok(()) } else { Err(("the file's end".into(), end, at)) }
}

#[derive(Deserialize)]
struct RawTensor {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

/// Tensors in the order of the file; a name that comes twice is an error, where a map would keep the last.
struct Header(Vec<(String, RawTensor)>);

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tensors;
        impl<'de> Visitor<'de> for Tensors {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut tensors: Vec<(String, RawTensor)> = Vec::new();
                let mut names = std::collections::HashSet::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    if !names.insert(name.clone()) {
                        return Err(serde::de::Error::custom(format!("the tensor {name} comes twice")));
                    }
                    tensors.push((name, map.next_value()?));
                }
                Ok(Header(tensors))
            }
        }
        deserializer.deserialize_map(Tensors)
    }
}
