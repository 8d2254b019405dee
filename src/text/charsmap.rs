use super::clusters::clusters;
use super::normalized::Normalized;

/// A cluster of so many bytes or more is replaced letter by letter.
const LONG: usize = 6;
/// Marks what a unit of the trie holds as a value.
const VALUE: u32 = 1 << 31;

/// SentencePiece's `precompiled_charsmap`: texts, and what is written for them.
///
/// A double array of bytes leads from a text to the place of its replacement in a pool. It is walked as the crate
/// `tokenizers` walks it, which is not as SentencePiece does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charsmap {
    units: Vec<u32>,
    /// Replacements, each ended by NUL.
    pool: String,
}

impl Charsmap {
    /// Of its file: the bytes of the trie as u32, its units, the pool, little-endian.
    ///
    /// # Errors
    /// What is wrong with it: it ends too early, or leads out of itself.
    pub(super) fn read(blob: &[u8]) -> Result<Self, &'static str> {
        let (count, rest) = blob.split_first_chunk().ok_or("its charsmap ends too early")?;
        let count = u32::from_le_bytes(*count) as usize;
        let (units, pool) = rest.split_at_checked(count / 4 * 4).ok_or("its charsmap ends too early")?;
        let units: Vec<u32> = units.as_chunks().0.iter().map(|unit| u32::from_le_bytes(*unit)).collect();
        let pool = String::from_utf8(pool.to_vec()).map_err(|_| "its charsmap's replacements are not UTF-8")?;
        let map = Self { units, pool };
        if map.is_sound() { Ok(map) } else { Err("its charsmap leads out of itself") }
    }

    /// The file that it was read from.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut blob = (4 * self.units.len() as u32).to_le_bytes().to_vec();
        self.units.iter().for_each(|unit| blob.extend(unit.to_le_bytes()));
        blob.extend(self.pool.as_bytes());
        blob
    }

    /// Bytes of the longest replacement.
    pub(super) fn longest(&self) -> usize {
        self.pool.split('\0').map(str::len).max().unwrap_or(0)
    }

    /// Whether all steps lead to units, and all values into the pool.
    fn is_sound(&self) -> bool {
        let nodes = self.units.iter().enumerate().filter(|(_, unit)| *unit & VALUE == 0);
        let sound = |(at, &unit): (usize, &u32)| {
            let children = at ^ offset(unit);
            let value = |unit: &u32| self.pool.is_char_boundary((unit & !VALUE) as usize);
            children | 0xff < self.units.len() && (!is_leaf(unit) || value(&self.units[children]))
        };
        !self.units.is_empty() && nodes.map(sound).all(|sound| sound)
    }

    /// What is written for the shortest known text that this one starts with.
    fn find(&self, text: &str) -> Option<&str> {
        let mut at = offset(*self.units.first()?);
        for byte in text.bytes().take_while(|&byte| byte != 0) {
            at ^= usize::from(byte);
            let unit = *self.units.get(at)?;
            if unit & (VALUE | 0xff) != u32::from(byte) {
                return None;
            }
            at ^= offset(unit);
            if is_leaf(unit) {
                let from = self.pool.get((self.units.get(at)? & !VALUE) as usize..)?;
                return from.split('\0').next();
            }
        }
        None
    }

    /// Replaces what a text has of the map: a short cluster as a whole, whatever of it is known; others by letters.
    pub(super) fn apply(&self, text: &mut Normalized) {
        let mut change = text.change();
        for cluster in clusters(text.as_str()) {
            if let Some(to) = self.find(cluster).filter(|_| cluster.len() < LONG) {
                change.replace(cluster, to);
                continue;
            }
            let mut utf8 = [0; 4];
            for letter in cluster.chars() {
                let letter = letter.encode_utf8(&mut utf8);
                match self.find(letter) {
                    Some(to) => change.replace(letter, to),
                    None => change.keep(letter),
                }
            }
        }
        text.set(change);
    }
}

/// Where a unit's children are, from its own place.
fn offset(unit: u32) -> usize {
    // At most 22 bits, by at most 8 places.
    ((unit >> 10) << ((unit & 0x200) >> 6)) as usize
}

/// Whether a known text ends here.
fn is_leaf(unit: u32) -> bool {
    unit & 0x100 != 0
}
