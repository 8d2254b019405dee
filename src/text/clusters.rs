//! Grapheme clusters: what a reader takes for one letter (Unicode 17, UAX 29, extended).

use std::sync::OnceLock;

/// Ranges of letters and their classes, as `tests/reference/clusters.py` writes them: 1.4 KB, where a crate's tables
/// have 24.
static RANGES: &[u8] = include_bytes!("clusters.bin");

/// What a letter does at the border of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Any,
    Cr,
    Lf,
    Control,
    Extend,
    /// An `Extend` that joins Indic consonants.
    Linker,
    /// An `Extend` that joins none.
    NonJoiner,
    Joiner,
    SpacingMark,
    Prepend,
    Pictograph,
    Consonant,
    Flag,
    /// Parts of a Hangul syllable: an initial, a vowel, a final; and whole ones without and with a final.
    L,
    V,
    T,
    Lv,
    Lvt,
}

/// Where a cluster's last letters stand in the rules that look back further than one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behind {
    Nothing,
    /// A pictograph and what extends it.
    Pictograph,
    /// The same and a joiner.
    PictographJoiner,
    /// An Indic consonant and what extends it.
    Consonant,
    /// The same with a linker.
    ConsonantLinker,
    /// The first half of a flag.
    Flag,
}

/// The clusters of a text.
pub(super) fn clusters(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut letters = rest.char_indices().map(|(at, letter)| (at, class(letter)));
        let (_, mut last) = letters.next()?;
        let mut behind = Behind::Nothing.after(last);
        let mut end = rest.len();
        for (at, next) in letters {
            if !joined(last, behind, next) {
                end = at;
                break;
            }
            (last, behind) = (next, behind.after(next));
        }
        let (cluster, others) = rest.split_at(end);
        rest = others;
        Some(cluster)
    })
}

/// Whether no border lies between a letter and the next.
fn joined(last: Class, behind: Behind, next: Class) -> bool {
    use Class::*;
    match (last, next) {
        (Cr, Lf) => true,
        (Cr | Lf | Control, _) | (_, Cr | Lf | Control) => false,
        (_, Extend | Linker | NonJoiner | Joiner | SpacingMark) | (Prepend, _) => true,
        (L, L | V | Lv | Lvt) | (Lv | V, V | T) | (Lvt | T, T) => true,
        (_, Consonant) => behind == Behind::ConsonantLinker,
        (Joiner, Pictograph) => behind == Behind::PictographJoiner,
        (Flag, Flag) => behind == Behind::Flag,
        _ => false,
    }
}

impl Behind {
    /// What stands behind once another letter has come.
    fn after(self, next: Class) -> Self {
        match (self, next) {
            (_, Class::Pictograph) => Self::Pictograph,
            (_, Class::Consonant) => Self::Consonant,
            (Self::Flag, Class::Flag) => Self::Nothing,
            (_, Class::Flag) => Self::Flag,
            (Self::Pictograph, Class::Extend | Class::Linker | Class::NonJoiner) => self,
            (Self::Pictograph, Class::Joiner) => Self::PictographJoiner,
            (Self::Consonant | Self::ConsonantLinker, Class::Linker) => Self::ConsonantLinker,
            (Self::Consonant | Self::ConsonantLinker, Class::Extend | Class::Joiner) => self,
            _ => Self::Nothing,
        }
    }
}

fn class(letter: char) -> Class {
    match letter {
        '\r' => Class::Cr,
        '\n' => Class::Lf,
        ' '..='~' => Class::Any,
        '\u{200c}' => Class::NonJoiner,
        '\u{200d}' => Class::Joiner,
        '\u{1f1e6}'..='\u{1f1ff}' => Class::Flag,
        '\u{1100}'..='\u{115f}' | '\u{a960}'..='\u{a97c}' => Class::L,
        '\u{1160}'..='\u{11a7}' | '\u{d7b0}'..='\u{d7c6}' | '\u{16d63}' | '\u{16d67}'..='\u{16d6a}' => Class::V,
        '\u{11a8}'..='\u{11ff}' | '\u{d7cb}'..='\u{d7fb}' => Class::T,
        // 28 finals, none among them.
        '\u{ac00}'..='\u{d7a3}' if (letter as u32 - 0xac00).is_multiple_of(28) => Class::Lv,
        '\u{ac00}'..='\u{d7a3}' => Class::Lvt,
        _ => {
            let ranges = ranges();
            let place = ranges.partition_point(|&(first, ..)| first <= letter as u32);
            let range = place.checked_sub(1).map(|place| ranges[place]);
            range.filter(|&(_, last, _)| letter as u32 <= last).map_or(Class::Any, |(.., class)| class)
        }
    }
}

/// First and last letters and classes, in order.
fn ranges() -> &'static [(u32, u32, Class)] {
    static READ: OnceLock<Vec<(u32, u32, Class)>> = OnceLock::new();
    const CLASSES: [Class; 8] = [
        Class::Control,
        Class::Extend,
        Class::Linker,
        Class::SpacingMark,
        Class::Prepend,
        Class::Pictograph,
        Class::Consonant,
        Class::Any,
    ];
    READ.get_or_init(|| {
        let mut bytes = RANGES.iter();
        let mut number = || {
            let (mut number, mut shift) = (0, 0);
            for &byte in bytes.by_ref() {
                number |= u32::from(byte & 0x7f) << shift;
                if byte < 0x80 {
                    return Some(number);
                }
                shift += 7;
            }
            None
        };
        let (mut end, mut ranges) = (0, Vec::new());
        while let (Some(gap), Some(range)) = (number(), number()) {
            let first = end + gap;
            end = first + range / 8 + 1;
            ranges.push((first, end - 1, CLASSES[range as usize % 8]));
        }
        ranges
    })
}

#[cfg(test)]
mod tests {
    use unicode_segmentation::UnicodeSegmentation;

    use super::clusters;

    fn same(text: &str) {
        assert!(clusters(text).eq(text.graphemes(true)), "{text:?}: {:?}", clusters(text).collect::<Vec<_>>());
    }

    #[test]
    fn every_letter_goes_together_with_others_as_the_crate_has_it() {
        // Of the planes without scripts, one letter of many.
        let all = ('\0'..='\u{1ffff}').chain('\u{e0000}'..='\u{e0fff}').chain(('\u{20000}'..=char::MAX).step_by(97));
        for letter in all {
            for text in [
                format!("a{letter}b"),
                format!("{letter}\u{301}{letter}"),
                format!("\u{600}{letter}a"),
                format!("{letter}\u{200d}\u{2122}\u{200d}{letter}"),
                format!("{letter}\u{94d}\u{915}{letter}\u{94d}{letter}"),
                format!("\u{915}\u{94d}{letter}\u{915}"),
                format!("\u{915}{letter}\u{94d}\u{915}"),
                format!("\u{2122}{letter}\u{200d}\u{2122}"),
                format!("\u{1100}{letter}\u{1161}{letter}\u{11a8}"),
                format!("\u{1f1e6}{letter}\u{1f1e6}\u{1f1e6}\u{1f1e6}"),
                format!("\r{letter}\n\r\n{letter}"),
            ] {
                same(&text);
            }
        }
    }

    #[test]
    fn texts_are_cut_as_the_crate_cuts_them() {
        const LETTERS: [char; 24] = [
            'a',
            '\r',
            '\n',
            '\0',
            '\u{301}',
            '\u{200c}',
            '\u{200d}',
            '\u{903}',
            '\u{600}',
            '\u{2122}',
            '\u{1f600}',
            '\u{1f3fb}',
            '\u{915}',
            '\u{94d}',
            '\u{93c}',
            '\u{1f1e6}',
            '\u{1100}',
            '\u{1161}',
            '\u{11a8}',
            '\u{ac00}',
            '\u{ac01}',
            '\u{e33}',
            '\u{fe0f}',
            '\u{9cd}',
        ];
        let mut state = 1_u64;
        for _ in 0..40_000 {
            let letter = |_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                LETTERS[(state >> 40) as usize % LETTERS.len()]
            };
            same(&(0..9).map(letter).collect::<String>());
        }
    }
}
