use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::merges::Merges;
use super::pieces::Pieces;

/// What becomes of characters that are not in the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unknown {
    /// One token per UTF-8 byte, where the vocabulary has all of them.
    pub bytes: bool,
    /// Otherwise this one; none leaves them out.
    pub id: Option<u32>,
    /// One token for a run of them.
    pub fuse: bool,
}

/// Byte-pair encoding: characters, of which the pair with the lowest rank is merged until there is none.
#[derive(Debug)]
pub(super) struct Bpe {
    pub pieces: Pieces,
    pub merges: Merges,
    pub unknown: Unknown,
    /// Pieces of one character, by character.
    chars: Vec<(char, u32)>,
    /// `<0x00>` to `<0xFF>`.
    bytes: [Option<u32>; 256],
}

/// A piece of a word while it is merged.
#[derive(Clone, Copy)]
struct Link {
    id: u32,
    /// Places of its neighbours; out of range where there is none.
    before: usize,
    after: usize,
    /// Merged into another one.
    gone: bool,
}

impl Bpe {
    pub fn new(pieces: Pieces, merges: Merges, unknown: Unknown) -> Self {
        let mut chars = Vec::new();
        let mut bytes = [None; 256];
        for (piece, id) in pieces.iter().zip(0..) {
            let mut letters = piece.chars();
            if let (Some(letter), None) = (letters.next(), letters.next()) {
                chars.push((letter, id));
            }
            // Small letters are a byte to a reader of answers, and never written.
            if let Some(byte) = byte_of(piece).filter(|byte| piece == format!("<0x{byte:02X}>")) {
                bytes[byte as usize] = Some(id);
            }
        }
        chars.sort_unstable();
        Self { pieces, merges, unknown, chars, bytes }
    }

    /// Appends the ids of a text.
    pub fn encode(&self, text: &str, ids: &mut Vec<u32>) {
        let mut links: Vec<Link> = self
            .characters(text)
            .into_iter()
            .enumerate()
            .map(|(n, id)| Link { id, before: n.wrapping_sub(1), after: n + 1, gone: false })
            .collect();
        // Lowest rank first, and of the same rank the leftmost.
        let mut queue = BinaryHeap::with_capacity(links.len());
        let pair = |links: &[Link], left: usize, right: usize| {
            let merge = self.merges.get(links.get(left)?.id, links.get(right)?.id)?;
            Some(Reverse((merge.rank, left, merge.id)))
        };
        queue.extend((1..links.len()).filter_map(|right| pair(&links, right - 1, right)));
        while let Some(Reverse((_, at, id))) = queue.pop() {
            let Link { id: left, before, after, gone } = links[at];
            let Some(&right) = links.get(after) else { continue };
            // Either neighbour may have been merged since.
            if gone || self.merges.get(left, right.id).is_none_or(|merge| merge.id != id) {
                continue;
            }
            links[at].id = id;
            links[at].after = right.after;
            links[after].gone = true;
            if let Some(next) = links.get_mut(right.after) {
                next.before = at;
            }
            queue.extend(pair(&links, before, at));
            queue.extend(pair(&links, at, right.after));
        }
        ids.extend(links.iter().filter(|link| !link.gone).map(|link| link.id));
    }

    /// The ids of a text's characters, before any merge.
    fn characters(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::with_capacity(text.len());
        // The reference puts it down before the next known character only, behind bytes that came meanwhile.
        let mut unknown = None;
        for letter in text.chars() {
            if let Ok(found) = self.chars.binary_search_by_key(&letter, |&(known, _)| known) {
                ids.extend(unknown.take());
                ids.push(self.chars[found].1);
                continue;
            }
            let mut utf8 = [0; 4];
            let bytes = letter.encode_utf8(&mut utf8).bytes().map(|byte| self.bytes[byte as usize]);
            if let Some(bytes) = bytes.collect::<Option<Vec<u32>>>().filter(|_| self.unknown.bytes) {
                ids.extend(bytes);
                continue;
            }
            if !self.unknown.fuse {
                ids.extend(unknown.take());
            }
            unknown = self.unknown.id;
        }
        ids.extend(unknown);
        ids
    }
}

/// The byte of a piece such as `<0x0A>`.
pub(super) fn byte_of(piece: &str) -> Option<u8> {
    let digits = piece.strip_prefix("<0x")?.strip_suffix('>')?;
    if digits.len() == 2 { u8::from_str_radix(digits, 16).ok() } else { None }
}
