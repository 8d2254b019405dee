//! The compact form of a tokenizer, which a pack holds: read in one pass, with nothing to hash or to sort.
//!
//! [`MAGIC`], then in little-endian order the format (4 bytes) and the [`checksum`] of all that follows (8): the
//! SHA-256 of the `tokenizer.json` it was made of, and numbers in LEB128 with the texts they tell the lengths of:
//!
//! - flags of unknown characters (1: fused, 2: written as bytes), and the unknown token's id plus one, or 0;
//! - V, the length of every piece in bytes, all pieces;
//! - the count of merges, and by rank the step from one merged id to the next, zigzag;
//! - by left id the count of its pairs, and for each the step from the right id before, and the rank;
//! - the count of added tokens, and for each its id, its flags (1: special, 2: normalized, 4: lstrip, 8: rstrip), the
//!   length of its text, the text.

use super::added::{AddedToken, AddedTokens};
use super::bpe::{Bpe, Unknown};
use super::merges::Merges;
use super::pieces::Pieces;
use super::{COMPACT, TextError};

/// How the file begins.
const MAGIC: &[u8; 8] = b"OCELLTOK";
/// The format that this version reads and writes.
const FORMAT: u32 = 1;
/// A SHA-256.
pub type Digest = [u8; 32];

const FUSE: u32 = 1;
const BYTES: u32 = 2;

const SPECIAL: u32 = 1;
const NORMALIZED: u32 = 2;
const LSTRIP: u32 = 4;
const RSTRIP: u32 = 8;

/// Whether a file is of this form.
pub(super) fn is_compact(file: &[u8]) -> bool {
    file.starts_with(MAGIC)
}

/// Writes the compact form of what was read from a `tokenizer.json` with the given sum.
pub(super) fn write(bpe: &Bpe, added: &AddedTokens, source: &Digest) -> Vec<u8> {
    let mut out = Writer(source.to_vec());
    let Unknown { bytes, id, fuse } = bpe.unknown;
    out.number(flag(fuse, FUSE) | flag(bytes, BYTES));
    out.number(id.map_or(0, |id| id + 1));
    out.number(bpe.pieces.len());
    bpe.pieces.iter().for_each(|piece| out.number(piece.len() as u32));
    bpe.pieces.iter().for_each(|piece| out.0.extend_from_slice(piece.as_bytes()));
    out.number(bpe.merges.ids().len() as u32);
    let mut last = 0;
    for &id in bpe.merges.ids() {
        let step = id.wrapping_sub(last) as i32;
        out.number(((step << 1) ^ (step >> 31)) as u32);
        last = id;
    }
    for pairs in bpe.merges.by_left() {
        let pairs: Vec<(u32, u32)> = pairs.collect();
        out.number(pairs.len() as u32);
        let mut last = 0;
        for (right, rank) in pairs {
            out.number(right - last);
            out.number(rank);
            last = right;
        }
    }
    out.number(added.iter().len() as u32);
    for token in added.iter() {
        let AddedToken { content, id, special, normalized, lstrip, rstrip } = token;
        out.number(*id);
        let flags = [(*special, SPECIAL), (*normalized, NORMALIZED), (*lstrip, LSTRIP), (*rstrip, RSTRIP)];
        out.number(flags.into_iter().map(|(set, bit)| flag(set, bit)).sum());
        out.number(content.len() as u32);
        out.0.extend_from_slice(content.as_bytes());
    }
    [MAGIC.as_slice(), &FORMAT.to_le_bytes(), &checksum(&out.0).to_le_bytes(), &out.0].concat()
}

/// Reads the compact form, and the sum of what it was made of.
///
/// # Errors
/// Another format, a damaged file, or one that contradicts itself. Its length bounds what is allocated.
pub(super) fn read(file: &[u8]) -> Result<(Bpe, AddedTokens, Digest), TextError> {
    let mut from = Reader(file);
    from.take(MAGIC.len())?;
    let format = u32::from_le_bytes(from.array()?);
    if format != FORMAT {
        return Err(unusable(&format!("it is of format {format}, and this version reads {FORMAT}")));
    }
    let sum = u64::from_le_bytes(from.array()?);
    if sum != checksum(from.0) {
        return Err(unusable("its checksum is wrong: it is damaged or cut off"));
    }
    let source = from.array()?;
    let flags = from.number()?;
    let id = from.number()?.checked_sub(1);
    let unknown = Unknown { bytes: flags & BYTES != 0, id, fuse: flags & FUSE != 0 };
    let pieces = from.pieces()?;
    if id.is_some_and(|id| id >= pieces.len()) {
        return Err(unusable("its unknown token is no piece"));
    }
    let merges = from.merges(pieces.len())?;
    let added = from.added()?;
    if !from.0.is_empty() {
        return Err(unusable("it goes on behind its end"));
    }
    Ok((Bpe::new(pieces, merges, unknown), added, source))
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, mut number: u32) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }
}

/// What is left to be read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], TextError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(|| unusable("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], TextError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(|| unusable("it ends too early"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn number(&mut self) -> Result<u32, TextError> {
        let mut number = 0;
        for shift in (0..u32::BITS).step_by(7) {
            let [byte] = self.array()?;
            number |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(unusable("it has a number of more than 32 bits"))
    }

    /// A count of things that take a byte each at least: the file's length bounds what is allocated for them.
    fn count(&mut self) -> Result<usize, TextError> {
        let count = self.number()? as usize;
        if count > self.0.len() { Err(unusable("it has more parts than bytes")) } else { Ok(count) }
    }

    fn text(&mut self, length: usize) -> Result<String, TextError> {
        String::from_utf8(self.take(length)?.to_vec()).map_err(|_| unusable("one of its texts is not UTF-8"))
    }

    fn pieces(&mut self) -> Result<Pieces, TextError> {
        let count = self.count()?;
        let mut ends = Vec::with_capacity(count);
        let mut end = 0_u32;
        for _ in 0..count {
            end = end.saturating_add(self.number()?);
            ends.push(end);
        }
        Pieces::new(self.text(end as usize)?, ends).ok_or_else(|| unusable("one of its pieces ends within a character"))
    }

    fn merges(&mut self, vocabulary: u32) -> Result<Merges, TextError> {
        let count = self.count()?;
        let mut ids = Vec::with_capacity(count);
        let mut id = 0_u32;
        for _ in 0..count {
            let step = self.number()?;
            id = id.wrapping_add((step >> 1) ^ (step & 1).wrapping_neg());
            ids.push(id);
        }
        let mut counts = Vec::with_capacity(vocabulary as usize);
        let (mut rights, mut ranks) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for _ in 0..vocabulary {
            let count = self.number()?;
            counts.push(count);
            let mut right = 0_u32;
            for _ in 0..count {
                right = right.saturating_add(self.number()?);
                rights.push(right);
                ranks.push(self.number()?);
            }
        }
        Merges::from_tables(ids, &counts, rights, ranks).ok_or_else(|| unusable("its merges contradict each other"))
    }

    fn added(&mut self) -> Result<AddedTokens, TextError> {
        let mut tokens = Vec::new();
        for _ in 0..self.count()? {
            let (id, flags) = (self.number()?, self.number()?);
            let length = self.number()? as usize;
            tokens.push(AddedToken {
                content: self.text(length)?,
                id,
                special: flags & SPECIAL != 0,
                normalized: flags & NORMALIZED != 0,
                lstrip: flags & LSTRIP != 0,
                rstrip: flags & RSTRIP != 0,
            });
        }
        AddedTokens::new(tokens).ok_or_else(|| unusable("its added tokens contradict each other"))
    }
}

fn flag(set: bool, bit: u32) -> u32 {
    if set { bit } else { 0 }
}

/// FNV-1a of 64 bits, which sees every single byte that is wrong.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

fn unusable(reason: &str) -> TextError {
    TextError::Unusable { file: COMPACT, reason: reason.into() }
}
