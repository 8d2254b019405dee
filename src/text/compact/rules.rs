//! The rules around a model: the counts of normalizers and of ways to cut words, each with its kind and what it needs,
//! and the decoder.

use super::reader::Reader;
use super::writer::Writer;
use super::{flag, unusable};
use crate::text::TextError;
use crate::text::charsmap::Charsmap;
use crate::text::normalizer::Normalizer;
use crate::text::pattern::{Letters, Pattern};
use crate::text::rules::{Decoder, Rules};
use crate::text::words::{Prepend, Words};

const LOWERCASE: u32 = 0;
const LOWERCASE_WORDS: u32 = 1;
const REPLACE_TEXT: u32 = 2;
const REPLACE_LETTERS: u32 = 3;
const STRIP: u32 = 4;
const PRECOMPILED: u32 = 5;

const LEFT: u32 = 1;
const RIGHT: u32 = 2;

const WHITE_SPACE: u32 = 0;
const METASPACE: u32 = 1;
/// In the order of their numbers.
const PREPEND: [Prepend; 3] = [Prepend::Always, Prepend::First, Prepend::Never];

const BYTES: u32 = 0;
const OF_METASPACE: u32 = 1;

pub(super) fn write(out: &mut Writer, rules: &Rules) {
    out.number(rules.normalizers.len() as u32);
    rules.normalizers.iter().for_each(|normalizer| write_normalizer(out, normalizer));
    out.number(rules.words.len() as u32);
    for words in &rules.words {
        match words {
            Words::WhiteSpace => out.number(WHITE_SPACE),
            Words::Metaspace { letter, prepend, split } => {
                let prepend = PREPEND.iter().position(|known| known == prepend).unwrap_or_default();
                [METASPACE, u32::from(*letter), prepend as u32, u32::from(*split)]
                    .into_iter()
                    .for_each(|number| out.number(number));
            }
        }
    }
    match rules.decoder {
        Decoder::Bytes => out.number(BYTES),
        Decoder::Metaspace { letter, bare } => {
            [OF_METASPACE, u32::from(letter), u32::from(bare)].into_iter().for_each(|number| out.number(number));
        }
    }
}

fn write_normalizer(out: &mut Writer, normalizer: &Normalizer) {
    match normalizer {
        Normalizer::Lowercase { words } => out.number(if *words { LOWERCASE_WORDS } else { LOWERCASE }),
        Normalizer::Replace { pattern: Pattern::Text(text), to } => {
            out.number(REPLACE_TEXT);
            out.text(text);
            out.text(to);
        }
        Normalizer::Replace { pattern: Pattern::Letters(Letters { ranges, white, run }), to } => {
            [REPLACE_LETTERS, u32::from(*white), *run, ranges.len() as u32]
                .into_iter()
                .for_each(|number| out.number(number));
            ranges.iter().for_each(|&(first, last)| {
                out.number(first.into());
                out.number(last.into());
            });
            out.text(to);
        }
        Normalizer::Strip { left, right } => {
            out.number(STRIP);
            out.number(flag(*left, LEFT) | flag(*right, RIGHT));
        }
        Normalizer::Precompiled(map) => {
            out.number(PRECOMPILED);
            out.bytes(&map.write());
        }
    }
}

pub(super) fn read(from: &mut Reader<'_>) -> Result<Rules, TextError> {
    let mut rules = Rules { normalizers: Vec::new(), words: Vec::new(), decoder: Decoder::Bytes };
    for _ in 0..from.count()? {
        rules.normalizers.push(read_normalizer(from)?);
    }
    for _ in 0..from.count()? {
        rules.words.push(match from.number()? {
            WHITE_SPACE => Words::WhiteSpace,
            METASPACE => {
                let (letter, prepend, split) = (from.letter()?, from.number()?, from.number()?);
                let prepend = PREPEND.get(prepend as usize).ok_or_else(|| unknown("cuts words"))?;
                Words::Metaspace { letter, prepend: *prepend, split: split != 0 }
            }
            _ => return Err(unknown("cuts words")),
        });
    }
    rules.decoder = match from.number()? {
        BYTES => Decoder::Bytes,
        OF_METASPACE => Decoder::Metaspace { letter: from.letter()?, bare: from.number()? != 0 },
        _ => return Err(unknown("decodes")),
    };
    rules.check().map_err(unusable)?;
    Ok(rules)
}

fn read_normalizer(from: &mut Reader<'_>) -> Result<Normalizer, TextError> {
    Ok(match from.number()? {
        LOWERCASE => Normalizer::Lowercase { words: false },
        LOWERCASE_WORDS => Normalizer::Lowercase { words: true },
        REPLACE_TEXT => {
            let text = from.text()?;
            if text.is_empty() {
                return Err(unusable("it replaces an empty text"));
            }
            Normalizer::Replace { pattern: Pattern::Text(text), to: from.text()? }
        }
        REPLACE_LETTERS => {
            let (white, run) = (from.number()? != 0, from.number()?);
            let mut ranges = Vec::new();
            for _ in 0..from.count()? {
                ranges.push((from.letter()?, from.letter()?));
            }
            let pattern = Pattern::Letters(Letters { ranges, white, run });
            Normalizer::Replace { pattern, to: from.text()? }
        }
        STRIP => {
            let flags = from.number()?;
            Normalizer::Strip { left: flags & LEFT != 0, right: flags & RIGHT != 0 }
        }
        PRECOMPILED => Normalizer::Precompiled(Charsmap::read(from.bytes()?).map_err(unusable)?),
        _ => return Err(unknown("normalizes")),
    })
}

fn unknown(what: &str) -> TextError {
    unusable(&format!("it {what} in a way that is not known"))
}
