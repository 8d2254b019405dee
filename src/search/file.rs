//! An index as a file: a header in JSON, scales, coarse bytes, fine bytes, and a checksum over all of it.

use serde::{Deserialize, Serialize};

use super::index::{IndexModel, Source, VectorIndex};
use crate::base::{ErrorKind, LayerError, Remedy};

/// The first bytes of an index, with the version of its format.
const MAGIC: &[u8; 8] = b"ocelli\x01\x01";
/// Most values of a vector.
const MAX_WIDTH: usize = 1 << 16;

/// A file that is no index, or no whole one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// Other bytes at the start.
    #[error("this is no index of ocelli, or one of another version")]
    Magic,
    /// Fewer or more bytes than it should have.
    #[error("the index has {found} bytes, expected {expected}: it was cut off or is damaged")]
    Length {
        /// Bytes of the file.
        found: usize,
        /// Bytes that its header tells of.
        expected: usize,
    },
    /// Another checksum than it should have.
    #[error("the checksum of the index is another: it is damaged")]
    Checksum,
    /// A header that cannot be read.
    #[error("the header of the index is damaged: {0}")]
    Header(String),
}

impl LayerError for IndexError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::BadModelFile
    }

    fn remedy(&self) -> Remedy {
        "Make the index again: the pictures themselves are not touched.".into()
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    model: IndexModel,
    width: usize,
    sources: Vec<Source>,
}

impl VectorIndex {
    /// The bytes of its file.
    pub fn write(&self) -> Vec<u8> {
        let Self { model, width, sources, .. } = self;
        let header = Header { model: model.clone(), width: *width, sources: sources.clone() };
        // A header of texts and numbers can always be written.
        let header = serde_json::to_vec(&header).unwrap_or_default();
        let mut bytes = MAGIC.to_vec();
        bytes.extend((header.len() as u64).to_le_bytes());
        bytes.extend(header);
        bytes.extend(self.scales.iter().flat_map(|scale| scale.to_le_bytes()));
        bytes.extend(bytemuck::cast_slice::<i8, u8>(&self.coarse));
        bytes.extend(bytemuck::cast_slice::<i8, u8>(&self.fine));
        bytes.extend(checksum(&bytes).to_le_bytes());
        bytes
    }

    /// Reads such a file.
    ///
    /// # Errors
    /// Bytes that are no index, a file that was cut off or changed.
    pub fn read(bytes: &[u8]) -> Result<Self, IndexError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(IndexError::Magic)?;
        let (length, rest) = rest.split_first_chunk::<8>().ok_or(cut(bytes, 24))?;
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let before = MAGIC.len() + 8;
        let header = rest.get(..length).ok_or(cut(bytes, before.saturating_add(length)))?;
        let header: Header = serde_json::from_slice(header).map_err(|error| IndexError::Header(error.to_string()))?;
        let Header { model, width, sources } = header;
        if !(1..=MAX_WIDTH).contains(&width) {
            return Err(IndexError::Header(format!("vectors of {width} values, expected 1 to {MAX_WIDTH}")));
        }
        let empty = Self::new(width, model.clone());
        let (count, stride) = (sources.len(), empty.stride());
        let expected = before + length + count * (4 + 2 * stride) + 8;
        if bytes.len() != expected {
            return Err(cut(bytes, expected));
        }
        let (whole, sum) = bytes.split_at(expected - 8);
        if checksum(whole).to_le_bytes() != sum {
            return Err(IndexError::Checksum);
        }
        let (scales, vectors) = whole[before + length..].split_at(4 * count);
        let (coarse, fine) = vectors.split_at(count * stride);
        let scales = scales.as_chunks().0.iter().map(|scale| f32::from_le_bytes(*scale)).collect();
        let part = |bytes: &[u8]| bytemuck::cast_slice::<u8, i8>(bytes).to_vec();
        Ok(Self::of(width, model, sources, scales, part(coarse), part(fine)))
    }
}

fn cut(bytes: &[u8], expected: usize) -> IndexError {
    IndexError::Length { found: bytes.len(), expected }
}

/// FNV-1a over words of eight bytes: against damage, not against people.
fn checksum(bytes: &[u8]) -> u64 {
    let mix = |sum: u64, word: u64| (sum ^ word).wrapping_mul(0x0000_0100_0000_01b3);
    let words = bytes.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    });
    words.fold(0xcbf2_9ce4_8422_2325 ^ bytes.len() as u64, mix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> VectorIndex {
        let model = IndexModel { checksum: "abc".into(), dtype: "q8".into() };
        let mut index = VectorIndex::new(5, model);
        for n in 0..9 {
            let source = Source { name: format!("a/{n}.png"), size: n, modified: 1000 + n };
            assert!(index.add(source, &[1.0, n as f32, -2.0, 0.5, 0.0]));
        }
        index
    }

    #[test]
    fn what_is_written_is_read() {
        let index = index();
        assert_eq!(VectorIndex::read(&index.write()), Ok(index));
    }

    #[test]
    fn every_cut_and_every_changed_byte_is_an_error() {
        let bytes = index().write();
        for end in 0..bytes.len() {
            assert!(VectorIndex::read(&bytes[..end]).is_err(), "cut at {end}");
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            assert!(VectorIndex::read(&changed).is_err(), "changed at {at}");
        }
        assert!(VectorIndex::read(&[bytes.as_slice(), &[0]].concat()).is_err(), "one byte more");
    }
}
