use std::collections::HashMap;

use crate::base::sort_by_key;
use crate::format::FormatError;
use crate::format::safetensors::{self, Entry};
use crate::tensor::Dtype;

/// Rows of a weight as a shard holds them and a device takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackedRows<'a> {
    /// The weight's name in the runtime.
    pub weight: &'a str,
    /// Number of the first row.
    pub first_row: usize,
    /// How many.
    pub rows: usize,
    /// How they are stored.
    pub dtype: Dtype,
    /// The elements.
    pub data: &'a [u8],
    /// The f16 scales; empty where the dtype has none.
    pub scales: &'a [u8],
}

/// Calls `take` with every part of a shard, in the order of the file.
///
/// # Errors
/// A file that contradicts itself or holds what no pack does, or what `take` returns.
pub fn read_shard(
    file: &str,
    bytes: &[u8],
    take: &mut dyn FnMut(PackedRows<'_>) -> crate::base::Result<()>,
) -> crate::base::Result<()> {
    let mut entries = safetensors::parse(file, bytes)?;
    sort_by_key(&mut entries, |entry| entry.bytes.start);
    let places: HashMap<&str, &Entry> = entries.iter().map(|entry| (entry.name.as_str(), entry)).collect();
    let of = |entry: &Entry| bytes.get(entry.bytes.clone()).unwrap_or_default();
    for entry in &entries {
        let name = entry.name.as_str();
        if let Some(owner) = name.strip_suffix(".scales") {
            if !places.contains_key(format!("{owner}.data").as_str()) {
                return Err(strange(file, name, "scales without data", "both").into());
            }
            continue;
        }
        let (base, scales) = match name.strip_suffix(".data") {
            Some(base) => (base, places.get(format!("{base}.scales").as_str())),
            None => (name, None),
        };
        let dtype = match (entry.dtype.as_str(), scales) {
            ("F32", None) => Dtype::F32,
            ("F16", None) => Dtype::F16,
            ("I8", Some(_)) => Dtype::Q8,
            ("U8", Some(_)) => Dtype::Q4,
            (found, _) => return Err(strange(file, name, found, "F32, F16, or I8 or U8 with scales").into()),
        };
        let (weight, first_row) = match base.split_once('@') {
            None => (base, Some(0)),
            Some((weight, first)) => (weight, first.parse().ok()),
        };
        let (Some(first_row), Some(&rows)) = (first_row, entry.shape.first()) else {
            return Err(strange(file, name, "a part without rows", "NAME@FIRST and a shape of rows").into());
        };
        let scales = scales.map_or(&[][..], |scales| of(scales));
        take(PackedRows { weight, first_row, rows, dtype, data: of(entry), scales })?;
    }
    Ok(())
}

fn strange(file: &str, name: &str, found: &str, expected: &str) -> FormatError {
    let what = format!("the tensor {name}");
    FormatError::Weights { file: file.into(), what, found: found.into(), expected: expected.into() }
}
