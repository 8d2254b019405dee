//! NumPy archives: a zip of arrays, each with a header of its own. Only what `numpy.savez` writes: stored, not
//! compressed.

use std::io::Cursor;

use zip::{CompressionMethod, ZipArchive};

use super::FormatError;
use super::safetensors::Entry;

/// The arrays of an archive as tensors, by their names without `.npy`.
pub fn parse(file: &str, bytes: &[u8]) -> Result<Vec<Entry>, FormatError> {
    let fault = |what: String, found: String, expected: &str| FormatError::Weights {
        file: file.into(),
        what,
        found,
        expected: expected.into(),
    };
    let broken = |error: &dyn std::fmt::Display| fault("the archive".into(), error.to_string(), "a zip of arrays");
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    let mut entries = Vec::new();
    for index in 0..archive.len() {
        let member = archive.by_index_raw(index).map_err(|error| broken(&error))?;
        let name = member.name().map_err(|error| broken(&error))?;
        let Some(name) = name.strip_suffix(".npy").map(str::to_owned) else { continue };
        let place = |what: &str| format!("{what} of {name}");
        if member.compression() != CompressionMethod::Stored {
            let found = member.compression().to_string();
            return Err(fault(place("the compression"), found, "none, as numpy.savez writes"));
        }
        let range = member.data_start().and_then(|start| {
            let start = usize::try_from(start).ok()?;
            let end = start.checked_add(usize::try_from(member.size()).ok()?)?;
            Some(start..end)
        });
        let Some((range, held)) = range.and_then(|range| Some((range.clone(), bytes.get(range)?))) else {
            return Err(fault(place("the place"), "beyond the archive".into(), "within it"));
        };
        let Some(Header { descr, columns_first, shape, length }) = header(held) else {
            return Err(fault(place("the header"), "none".into(), "that of a NumPy array"));
        };
        let (dtype, width) = match descr {
            "<f4" => ("F32", 4),
            "<f2" => ("F16", 2),
            // NumPy has no bfloat16: it is stored as two bytes of no type.
            "|V2" | "<V2" => ("BF16", 2),
            other => return Err(fault(place("the dtype"), format!("{other:?}"), "\"<f4\", \"<f2\" or \"|V2\"")),
        };
        if columns_first && shape.len() > 1 {
            return Err(fault(place("the order"), "columns first".into(), "rows first"));
        }
        let rest = held.len() - length;
        if shape.iter().try_fold(width, |n: usize, &extent| n.checked_mul(extent)) != Some(rest) {
            return Err(fault(place("the size"), format!("{rest} bytes"), &format!("what {dtype} {shape:?} takes")));
        }
        entries.push(Entry { name, dtype: dtype.into(), shape, bytes: range.end - rest..range.end });
    }
    Ok(entries)
}

struct Header<'a> {
    descr: &'a str,
    columns_first: bool,
    shape: Vec<usize>,
    /// Bytes in front of the data.
    length: usize,
}

/// Reads the header of an array: a magic word, a length, and a Python dictionary of three entries.
///
/// <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>
fn header(array: &[u8]) -> Option<Header<'_>> {
    let rest = array.strip_prefix(b"\x93NUMPY")?;
    let (start, length) = match rest {
        [1, _, a, b, ..] => (10, usize::from(u16::from_le_bytes([*a, *b]))),
        [2 | 3, _, a, b, c, d, ..] => (12, u32::from_le_bytes([*a, *b, *c, *d]) as usize),
        _ => return None,
    };
    let length = start + length;
    let text = std::str::from_utf8(array.get(start..length)?).ok()?;
    let value = |key: &str| text.split_once(&format!("'{key}':")).map(|(_, value)| value.trim_start());
    let descr = value("descr")?.strip_prefix('\'')?.split('\'').next()?;
    let columns_first = value("fortran_order")?.starts_with("True");
    let (extents, _) = value("shape")?.strip_prefix('(')?.split_once(')')?;
    let extents = extents.split(',').map(str::trim).filter(|extent| !extent.is_empty());
    let shape = extents.map(|extent| extent.parse().ok()).collect::<Option<Vec<usize>>>()?;
    Some(Header { descr, columns_first, shape, length })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    /// An array as `numpy.save` writes it.
    fn array(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let mut header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
        while !(10 + header.len() + 1).is_multiple_of(64) {
            header.push(' ');
        }
        header.push('\n');
        [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
    }

    fn archive(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in members {
            let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
            zip.start_file(*name, stored).expect("a member");
            zip.write_all(bytes).expect("its bytes");
        }
        zip.finish().expect("an archive").into_inner()
    }

    #[test]
    fn arrays_are_found_where_they_lie() {
        let data: Vec<u8> = [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        let half: Vec<u8> = [0x00, 0x3c, 0x00, 0x40].to_vec();
        let bytes = archive(&[
            ("decoder.0.weight.npy", array("<f4", "False", "(2, 3)", &data)),
            ("decoder.0.bias.npy", array("<f2", "False", "(2,)", &half)),
            ("scale.npy", array("|V2", "False", "()", &half[..2])),
            ("notes.txt", b"not an array".to_vec()),
        ]);
        let entries = parse("a.npz", &bytes).expect("it is read");
        let found: Vec<_> = entries
            .iter()
            .map(|entry| (entry.name.as_str(), entry.dtype.as_str(), entry.shape.clone(), &bytes[entry.bytes.clone()]))
            .collect();
        assert_eq!(
            found,
            [
                ("decoder.0.weight", "F32", vec![2, 3], &data[..]),
                ("decoder.0.bias", "F16", vec![2], &half[..]),
                ("scale", "BF16", vec![], &half[..2]),
            ]
        );
    }

    #[test]
    fn what_is_none_or_lies_is_refused() {
        let four = [0u8; 4];
        for (bytes, what) in [
            (b"PK".to_vec(), "archive"),
            (archive(&[("a.npy", b"no header".to_vec())]), "header"),
            (archive(&[("a.npy", array("<i4", "False", "(1,)", &four))]), "dtype"),
            (archive(&[("a.npy", array("<f4", "True", "(1, 1)", &four))]), "order"),
            (archive(&[("a.npy", array("<f4", "False", "(2,)", &four))]), "size"),
            (archive(&[("a.npy", array("<f4", "False", "(4611686018427387904, 4)", &four))]), "size"),
        ] {
            let error = parse("a.npz", &bytes).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.starts_with("a.npz: ") && error.contains(what), "{what} was expected in {error:?}");
        }
    }

    #[test]
    fn cut_off_archives_are_refused() {
        let whole = archive(&[("a.npy", array("<f4", "False", "(2,)", &[0; 8]))]);
        for end in 0..whole.len() {
            assert!(parse("a.npz", &whole[..end]).is_err(), "{end} of {} bytes", whole.len());
        }
    }
}
