//! Damages files in the ways that parsers trip over.

use crate::random::Random;

/// Numbers at the edges of their types.
const EDGES: [u64; 8] = [0, 1, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, u64::MAX];
/// The same as a text has them, and some that are none.
const TEXTS: [&str; 8] =
    ["0", "-1", "1e999", "4294967296", "18446744073709551615", "99999999999999999999", "null", "\"\""];
/// Headers are here, and most of what can be got wrong.
const FRONT: u32 = 512;

/// One of the seeds, damaged one to four times.
pub fn damaged(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = pick(random, seeds).clone();
    for _ in 0..1 + random.below(4) {
        damage(random, &mut bytes, seeds);
    }
    bytes
}

fn damage(random: &mut Random, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    if bytes.is_empty() {
        return;
    }
    let at = place(random, bytes);
    let end = (at + 1 + random.below(64) as usize).min(bytes.len());
    match random.below(8) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = random.next() as u8,
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(at..end)),
        4 => {
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
        }
        5 => {
            let number = pick(random, &EDGES).to_le_bytes();
            let width = [1, 2, 4, 8][random.below(4) as usize].min(bytes.len() - at);
            bytes[at..at + width].copy_from_slice(&number[..width]);
        }
        6 => {
            // The next number of a text.
            let Some(first) = bytes[at..].iter().position(u8::is_ascii_digit).map(|n| at + n) else { return };
            let count = bytes[first..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            bytes.splice(first..first + count, pick(random, &TEXTS).bytes());
        }
        _ => {
            let other = pick(random, seeds);
            let from = place(random, other);
            let piece = other[from..(from + 64).min(other.len())].to_vec();
            bytes.splice(at..at, piece);
        }
    }
}

/// Half the time in front.
fn place(random: &mut Random, bytes: &[u8]) -> usize {
    let length = bytes.len() as u32;
    let reach = if random.below(2) == 0 { length.min(FRONT) } else { length };
    random.below(reach) as usize
}

fn pick<'a, T>(random: &mut Random, all: &'a [T]) -> &'a T {
    &all[random.below(all.len() as u32) as usize]
}
