//! NumPy's `.npy` format, version 1.0, for arrays of f32.
//!
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>

use std::fs;
use std::path::Path;

use super::error::CliError;

const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";

/// The header is padded so that the data begins at a multiple of this.
const ALIGNMENT: usize = 64;

/// Writes `values` as an array of a shape, the last axis innermost.
pub fn write(path: &Path, shape: &[usize], values: &[f32]) -> Result<(), CliError> {
    fs::write(path, encode(shape, values)).map_err(|reason| CliError::writing(path, reason))
}

fn encode(shape: &[usize], values: &[f32]) -> Vec<u8> {
    // A tuple of one has a comma behind it, and those of more may.
    let axes: String = shape.iter().map(|axis| format!("{axis},")).collect();
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({axes}), }}");
    let before_header = MAGIC.len() + size_of::<u16>();
    let end = (before_header + header.len() + 1).next_multiple_of(ALIGNMENT);
    while before_header + header.len() + 1 < end {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}
