//! Making steps: what the sequences of a pass are.

use std::mem::offset_of;
use std::ops::Range;

use super::{Sequence, Step};
use crate::base::{ErrorKind, LayerError, Remedy};

/// Most sequences of a pass.
pub const MAX_SEQUENCES: usize = (size_of::<Step>() - offset_of!(Step, sequence)) / size_of::<Sequence>();

/// Valid rows of a memory that are all of its block.
pub const ALL_ROWS: u32 = u32::MAX;

/// Why a step cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StepError {
    /// More sequences than a pass can have.
    #[error("{found} sequences in one pass; at most {MAX_SEQUENCES} fit")]
    TooMany {
        /// How many there are.
        found: usize,
    },
    /// A sequence has more valid rows than the plan has rows for it.
    #[error("sequence {sequence} has {tokens} rows in a plan with {sequence_rows} rows a sequence")]
    TooLong {
        /// Number of the sequence in the step.
        sequence: usize,
        /// Valid rows that the step gives it.
        tokens: usize,
        /// Rows of a sequence in the plan.
        sequence_rows: usize,
    },
    /// A slot cannot be copied from.
    #[error("slot {slot} is copied from slot {source_slot}, which is {what}")]
    BadSource {
        /// The slot that is written.
        slot: usize,
        /// The slot that is read.
        source_slot: usize,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl LayerError for StepError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::TooMany { .. } | Self::TooLong { .. } => ErrorKind::BadArgument,
            Self::BadSource { .. } => ErrorKind::Internal,
        }
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::TooMany { .. } => format!("Do at most {MAX_SEQUENCES} at a time.").into(),
            Self::TooLong { .. } => "Use a shorter prompt, or a plan with more rows.".into(),
            Self::BadSource { .. } => "This is a defect of the library: report it with the model and the call.".into(),
        }
    }
}

impl Default for Step {
    /// A pass without a valid row.
    fn default() -> Self {
        Self { rows: 0, sequences: 0, padding: [0; 2], sequence: [Sequence::NONE; MAX_SEQUENCES] }
    }
}

impl Sequence {
    const NONE: Self = Self { position: 0, tokens: 0, prefix: 0, slot: 0, memory: 0, memory_slot: 0, padding: [0; 2] };
}

impl Step {
    /// A pass of one sequence.
    pub const fn one(position: u32, tokens: u32, prefix: u32, slot: u32) -> Self {
        let mut sequence = [Sequence::NONE; MAX_SEQUENCES];
        sequence[0] = Sequence { position, tokens, prefix, slot, ..Sequence::NONE };
        Self { rows: tokens, sequences: 1, padding: [0; 2], sequence }
    }

    /// A pass of several sequences, in a plan that has `sequence_rows` rows for each.
    ///
    /// # Errors
    /// More than [`MAX_SEQUENCES`], or a sequence with more valid rows than the plan has for it.
    pub fn of(sequences: &[Sequence], sequence_rows: usize) -> Result<Self, StepError> {
        let mut step = Self { sequences: sequences.len() as u32, ..Self::default() };
        let to = step.sequence.get_mut(..sequences.len());
        to.ok_or(StepError::TooMany { found: sequences.len() })?.copy_from_slice(sequences);
        for (sequence, s) in sequences.iter().enumerate() {
            let tokens = s.tokens as usize;
            if tokens > sequence_rows {
                return Err(StepError::TooLong { sequence, tokens, sequence_rows });
            }
            if tokens > 0 {
                let rows = sequence.saturating_mul(sequence_rows).saturating_add(tokens);
                step.rows = u32::try_from(rows).unwrap_or(u32::MAX);
            }
        }
        Ok(step)
    }

    /// Every row of some sequences, in a plan that has `sequence_rows` rows for each: pictures or texts side by side. Each
    /// attends to its own rows, and to all rows of the block of a memory that has its number.
    ///
    /// The plan may be for more sequences; what those behind come to is not to be read. Values that have fewer rows a
    /// sequence than `sequence_rows`, such as pooled ones, need no other step; `u32::MAX` is more than any plan has.
    ///
    /// # Errors
    /// More than [`MAX_SEQUENCES`].
    pub fn all(sequences: usize, sequence_rows: usize) -> Result<Self, StepError> {
        if sequences > MAX_SEQUENCES {
            return Err(StepError::TooMany { found: sequences });
        }
        let tokens = sequence_rows as u32;
        let one = |n| Sequence { tokens, memory: ALL_ROWS, memory_slot: n, ..Sequence::NONE };
        let all: Vec<Sequence> = (0..sequences as u32).map(one).collect();
        Self::of(&all, sequence_rows)
    }

    /// For `gather_slots`: slot `s` gets the `rows` of slot `sources[s]`.
    ///
    /// # Errors
    /// More than [`MAX_SEQUENCES`] slots, a source that does not exist, or one that is itself overwritten: the copies
    /// of a plan have no order.
    pub fn gather(sources: &[usize], rows: Range<usize>) -> Result<Self, StepError> {
        let mut sequences = Vec::with_capacity(sources.len());
        for (slot, &source_slot) in sources.iter().enumerate() {
            let what = match sources.get(source_slot) {
                None => "no slot",
                Some(&other) if other != source_slot => "overwritten by the same step",
                Some(_) => {
                    let (position, prefix, slot) = (rows.end as u32, rows.start as u32, source_slot as u32);
                    sequences.push(Sequence { position, prefix, slot, ..Sequence::NONE });
                    continue;
                }
            };
            return Err(StepError::BadSource { slot, source_slot, what });
        }
        Self::of(&sequences, 0)
    }

    /// The sequences of the pass.
    pub fn sequences(&self) -> &[Sequence] {
        &self.sequence[..(self.sequences as usize).min(MAX_SEQUENCES)]
    }

    /// The bytes that kernels read of it: those of the sequences that there are.
    pub fn bytes(&self) -> &[u8] {
        let end = offset_of!(Step, sequence) + size_of_val(self.sequences());
        &bytemuck::bytes_of(self)[..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(tokens: u32) -> Sequence {
        Sequence { tokens, ..Default::default() }
    }

    #[test]
    fn a_pass_ends_with_its_last_valid_row() {
        for (tokens, expected) in [(&[3, 1, 2][..], 16), (&[3, 0, 0], 3), (&[0, 7], 14), (&[0], 0), (&[], 0)] {
            let sequences: Vec<Sequence> = tokens.iter().map(|&n| rows(n)).collect();
            let step = Step::of(&sequences, 7).expect("they fit");
            assert_eq!((step.rows, step.sequences()), (expected, &sequences[..]), "{tokens:?}");
            assert_eq!(step.bytes().len(), 16 + 32 * tokens.len());
        }
        assert_eq!(Step::one(4, 5, 3, 2), {
            let one = Sequence { position: 4, tokens: 5, prefix: 3, slot: 2, ..Default::default() };
            Step::of(&[one], 9).expect("it fits")
        });
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let many = Step::of(&[rows(1); MAX_SEQUENCES + 1], 1);
        assert_eq!(many, Err(StepError::TooMany { found: 65 }));
        let long = Step::of(&[rows(7), rows(8)], 7);
        assert_eq!(long, Err(StepError::TooLong { sequence: 1, tokens: 8, sequence_rows: 7 }));
    }

    #[test]
    fn all_rows_of_sequences_are_valid_and_so_are_those_of_their_memories() {
        let step = Step::all(3, 7).expect("they fit");
        let one = |memory_slot| Sequence { memory: ALL_ROWS, memory_slot, ..rows(7) };
        assert_eq!((step.rows, step.sequences()), (21, &[one(0), one(1), one(2)][..]));
        assert_eq!(Step::all(MAX_SEQUENCES + 1, 1), Err(StepError::TooMany { found: 65 }));
    }

    #[test]
    fn sources_of_a_gather_are_never_targets() {
        let step = Step::gather(&[0, 0, 2, 2], 3..9).expect("0 and 2 stay");
        assert_eq!(step.sequences().iter().map(|s| s.slot).collect::<Vec<_>>(), [0, 0, 2, 2]);
        assert!(step.sequences().iter().all(|s| (s.prefix, s.position) == (3, 9)));
        assert_eq!(step.rows, 0);
        for (sources, slot, source_slot) in [(&[1, 0][..], 0, 1), (&[0, 0, 1], 2, 1), (&[0, 5], 1, 5)] {
            let error = Step::gather(sources, 0..1).expect_err("refused");
            let StepError::BadSource { slot: found, source_slot: source, .. } = error else {
                panic!("{error}");
            };
            assert_eq!((found, source), (slot, source_slot), "{sources:?}");
        }
    }
}
