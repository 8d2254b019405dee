//! The compact form of a tokenizer, which a pack holds: read in one pass, with nothing to hash; only a Unigram's pieces
//! are sorted.
//!
//! [`MAGIC`], then in little-endian order the format (4 bytes) and the [`checksum`] of all that follows (8): the
//! SHA-256 of the `tokenizer.json` it was made of, and numbers in LEB128 with the texts they tell the lengths of.
//! Format 1 is a BPE with the rules of Gemma's tokenizers, format 2 has before it the rules (`compact/rules.rs`) and
//! the kind of the model, 0 BPE or 1 Unigram. The model:
//!
//! - flags of unknown letters (1: fused, 2: written as bytes), and the unknown token's id plus one, or 0;
//! - V, the length of every piece in bytes, all pieces;
//! - BPE: the count of merges, and by rank the step from one merged id to the next, zigzag; by left id the count of its
//!   pairs, and for each the step from the right id before, and the rank;
//! - Unigram: every score, as the nearest f32 (4 bytes) and how many f64 lie between the two, zigzag;
//!
//! and in both formats the count of added tokens, and for each its id, its flags (1: special, 2: normalized, 4: lstrip,
//! 8: rstrip), the length of its text, the text.

mod reader;
mod rules;
mod writer;

use self::reader::Reader;
use self::writer::Writer;
use super::added::{AddedToken, AddedTokens};
use super::bpe::{Bpe, Unknown};
use super::merges::Merges;
use super::model::Model;
use super::own::Own;
use super::rules::Rules;
use super::unigram::Unigram;
use super::{COMPACT, TextError};

/// How the file begins.
const MAGIC: &[u8; 8] = b"OCELLTOK";
/// A BPE as Gemma's.
const PLAIN: u32 = 1;
/// Any.
const RULED: u32 = 2;
/// A SHA-256.
pub type Digest = [u8; 32];

const FUSE: u32 = 1;
const BYTES: u32 = 2;

const SPECIAL: u32 = 1;
const NORMALIZED: u32 = 2;
const LSTRIP: u32 = 4;
const RSTRIP: u32 = 8;

const BPE: u32 = 0;
const UNIGRAM: u32 = 1;

/// Whether a file is of this form.
pub(super) fn is_compact(file: &[u8]) -> bool {
    file.starts_with(MAGIC)
}

/// Writes the compact form of what was read from a `tokenizer.json` with the given sum.
///
/// # Errors
/// Scores that are no f32, not nearly.
pub(super) fn write(own: &Own, source: &Digest) -> Result<Vec<u8>, TextError> {
    let mut out = Writer(source.to_vec());
    let plain = matches!(own.model, Model::Bpe(_)) && own.rules == Rules::gemma();
    if !plain {
        rules::write(&mut out, &own.rules);
        out.number(if matches!(own.model, Model::Bpe(_)) { BPE } else { UNIGRAM });
    }
    match &own.model {
        Model::Bpe(bpe) => write_bpe(&mut out, bpe),
        Model::Unigram(unigram) => write_unigram(&mut out, unigram)?,
    }
    write_added(&mut out, &own.added);
    let format = if plain { PLAIN } else { RULED };
    Ok([MAGIC.as_slice(), &format.to_le_bytes(), &checksum(&out.0).to_le_bytes(), &out.0].concat())
}

/// Reads the compact form, and the sum of what it was made of.
///
/// # Errors
/// Another format, a damaged file, or one that contradicts itself. Its length bounds what is allocated.
pub(super) fn read(file: &[u8]) -> Result<(Own, Digest), TextError> {
    let mut from = Reader(file);
    from.take(MAGIC.len())?;
    let format = u32::from_le_bytes(from.array()?);
    if format != PLAIN && format != RULED {
        return Err(unusable(&format!("it is of format {format}, and this version reads {PLAIN} and {RULED}")));
    }
    let sum = u64::from_le_bytes(from.array()?);
    if sum != checksum(from.0) {
        return Err(unusable("its checksum is wrong: it is damaged or cut off"));
    }
    let source = from.array()?;
    let (rules, kind) = match format {
        PLAIN => (Rules::gemma(), BPE),
        _ => (rules::read(&mut from)?, from.number()?),
    };
    let model = match kind {
        BPE => Model::Bpe(read_bpe(&mut from)?),
        UNIGRAM => Model::Unigram(read_unigram(&mut from)?),
        _ => return Err(unusable("its model is of no known kind")),
    };
    let added = read_added(&mut from, &rules)?;
    if !from.0.is_empty() {
        return Err(unusable("it goes on behind its end"));
    }
    Ok((Own { rules, model, added }, source))
}

fn write_bpe(out: &mut Writer, bpe: &Bpe) {
    let Unknown { bytes, id, fuse } = bpe.unknown;
    out.number(flag(fuse, FUSE) | flag(bytes, BYTES));
    out.number(id.map_or(0, |id| id + 1));
    out.pieces(&bpe.pieces);
    out.number(bpe.merges.ids().len() as u32);
    let mut last = 0;
    for &id in bpe.merges.ids() {
        out.signed(id.wrapping_sub(last) as i32);
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
}

fn read_bpe(from: &mut Reader<'_>) -> Result<Bpe, TextError> {
    let flags = from.number()?;
    let id = from.number()?.checked_sub(1);
    let unknown = Unknown { bytes: flags & BYTES != 0, id, fuse: flags & FUSE != 0 };
    let pieces = from.pieces()?;
    if id.is_some_and(|id| id >= pieces.len()) {
        return Err(unusable("its unknown token is no piece"));
    }
    let merges = read_merges(from, pieces.len())?;
    Ok(Bpe::new(pieces, merges, unknown))
}

fn read_merges(from: &mut Reader<'_>, vocabulary: u32) -> Result<Merges, TextError> {
    let count = from.count()?;
    let mut ids = Vec::with_capacity(count);
    let mut id = 0_u32;
    for _ in 0..count {
        id = id.wrapping_add_signed(from.signed()?);
        ids.push(id);
    }
    let mut counts = Vec::with_capacity(vocabulary as usize);
    let (mut rights, mut ranks) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for _ in 0..vocabulary {
        let count = from.number()?;
        counts.push(count);
        let mut right = 0_u32;
        for _ in 0..count {
            right = right.saturating_add(from.number()?);
            rights.push(right);
            ranks.push(from.number()?);
        }
    }
    Merges::from_tables(ids, &counts, rights, ranks).ok_or_else(|| unusable("its merges contradict each other"))
}

fn write_unigram(out: &mut Writer, unigram: &Unigram) -> Result<(), TextError> {
    out.number(flag(unigram.fallback, BYTES));
    out.number(unigram.unknown + 1);
    out.pieces(&unigram.pieces);
    for &score in &unigram.scores {
        let nearest = score as f32;
        let steps = score.to_bits().wrapping_sub(f64::from(nearest).to_bits()) as i64;
        let steps = i32::try_from(steps).ok().filter(|_| nearest.is_finite());
        let reason = || format!("its score {score} is no f32, not nearly");
        out.0.extend(nearest.to_le_bytes());
        out.signed(steps.ok_or_else(|| TextError::NotCompact { reason: reason() })?);
    }
    Ok(())
}

fn read_unigram(from: &mut Reader<'_>) -> Result<Unigram, TextError> {
    let fallback = from.number()? & BYTES != 0;
    let unknown = from.number()?;
    let pieces = from.pieces()?;
    let mut scores = Vec::with_capacity(pieces.len() as usize);
    for _ in 0..pieces.len() {
        let nearest = f64::from(f32::from_le_bytes(from.array()?));
        let score = f64::from_bits(nearest.to_bits().wrapping_add_signed(i64::from(from.signed()?)));
        if !score.is_finite() {
            return Err(unusable("one of its scores is no number"));
        }
        scores.push(score);
    }
    let model = unknown.checked_sub(1).and_then(|unknown| Unigram::new(pieces, scores, unknown, fallback));
    model.ok_or_else(|| unusable("its unknown token is no piece"))
}

fn write_added(out: &mut Writer, added: &AddedTokens) {
    out.number(added.iter().len() as u32);
    for token in added.iter() {
        let AddedToken { content, id, special, normalized, lstrip, rstrip } = token;
        out.number(*id);
        let flags = [(*special, SPECIAL), (*normalized, NORMALIZED), (*lstrip, LSTRIP), (*rstrip, RSTRIP)];
        out.number(flags.into_iter().map(|(set, bit)| flag(set, bit)).sum());
        out.text(content);
    }
}

fn read_added(from: &mut Reader<'_>, rules: &Rules) -> Result<AddedTokens, TextError> {
    let mut tokens = Vec::new();
    for _ in 0..from.count()? {
        let (id, flags) = (from.number()?, from.number()?);
        tokens.push(AddedToken {
            content: from.text()?,
            id,
            special: flags & SPECIAL != 0,
            normalized: flags & NORMALIZED != 0,
            lstrip: flags & LSTRIP != 0,
            rstrip: flags & RSTRIP != 0,
        });
    }
    AddedTokens::new(tokens, rules).ok_or_else(|| unusable("its added tokens contradict each other"))
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
