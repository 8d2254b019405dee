use std::ops::Range;

use super::states;
use crate::ops::RowChoice;

/// One of the passes that a model is made of. The drivers of a session know which they need, and an architecture builds
/// the graphs of those that it has.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Pass {
    /// One image to what a decoder reads: state `image` in, `picture` out.
    EncodeImage,
    /// Tokens of one or several sequences through a decoder with a KV cache.
    Decoder(DecoderPass),
    /// Codes of a mask to the mask: state `mask_codes` in, `mask` out.
    DecodeMask,
    /// Images through an encoder, each by itself: state `image` `[B * H * W, 3]` in.
    Images(ImagesPass),
    /// Texts through an encoder, each by itself: state `ids` `[B * L, 1]` in, `embedding` `[B, d]` out.
    Texts {
        /// B, the number of texts.
        count: usize,
    },
}

/// A pass of an image encoder.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImagesPass {
    /// B, the number of images.
    pub count: usize,
    /// Height and width of each, in pixels.
    pub size: [usize; 2],
    /// What comes out.
    pub output: ImagesOutput,
}

/// What a pass of an image encoder leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImagesOutput {
    /// All rows after the last norm: state `image_features` `[B * rows, D]`.
    Features,
    /// One row an image, not normalised: state `embedding` `[B, d]`.
    Embedding,
    /// Logits of the labels: state `logits` `[B, classes]`.
    Logits,
}

/// A pass of a decoder.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DecoderPass {
    /// B, the most sequences that go through it side by side, so that the weights are read once for all of them.
    pub sequences: usize,
    /// T, the most rows of each sequence: 1 for decode, the bucket for prefill.
    pub tokens: usize,
    /// Rows of one slot of the KV cache.
    pub capacity: usize,
    /// Slots of the KV cache: one per beam.
    pub slots: usize,
    /// Rows of image features that ids may refer to; 0 for decode.
    pub feature_rows: usize,
    /// What comes out.
    pub output: PassOutput,
    /// The ids that may come next, if not all: only their rows of the head are multiplied. With
    /// [`PassOutput::Greedy`] alone.
    pub ids: Option<Range<usize>>,
}

/// What a pass of a decoder leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PassOutput {
    /// Logits of each sequence's last row in `logits` if they are those of all ids, their argmax in `choice` and
    /// `next_ids`.
    Greedy,
    /// Logits of each sequence's last row in `logits`, argmax and logsumexp in `choice`, the best k in `top_k`.
    TopK(usize),
    /// Log-probabilities of the ids in `targets`, one per row, in `scores`.
    Score,
}

impl DecoderPass {
    /// A decode step of one sequence over a cache of so many rows a slot and so many slots.
    pub const fn decode(capacity: usize, slots: usize) -> Self {
        let output = PassOutput::Greedy;
        Self { sequences: 1, tokens: 1, capacity, slots, feature_rows: 0, output, ids: None }
    }

    /// A name for labels and profiles.
    pub fn name(&self) -> String {
        let pass = if self.tokens == 1 { "decode".into() } else { format!("prefill {}", self.tokens) };
        if self.sequences == 1 { pass } else { format!("{pass} of {}", self.sequences) }
    }

    /// Rows of all sequences.
    pub const fn rows(&self) -> usize {
        self.sequences * self.tokens
    }

    /// Rows of each sequence, as operations want it: `None` where there is only one.
    pub fn sequence_rows(&self) -> Option<usize> {
        (self.sequences > 1).then_some(self.tokens)
    }

    /// The last row of each sequence.
    pub fn last_rows(&self) -> RowChoice {
        match self.sequence_rows() {
            None => RowChoice::Last,
            // Each row is the last of its sequence.
            Some(1) => RowChoice::All,
            Some(sequence_rows) => RowChoice::LastOfEach { sequence_rows },
        }
    }

    /// The state that ids come in: what the last pass chose, or what the host wrote.
    pub fn ids_state(&self) -> &'static str {
        if self.tokens == 1 { states::NEXT_IDS } else { states::IDS }
    }
}
