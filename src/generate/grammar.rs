//! What an answer with objects may hold: `<loc>` x 4, `<seg>` x 16 where masks are wanted, a label, and again after `;`.

use std::ops::Range;

use crate::text::{Mark, Marks, Tokenizer};

const EDGES: u8 = 4;
const CODES: u8 = 16;

/// Where an answer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Anything may come: at the start, behind a separator, or in an answer that is no list of objects.
    Free,
    /// So many edges of a box are there.
    Box(u8),
    /// So many codes of a mask are there.
    Mask(u8),
    /// The label must begin.
    Unlabelled,
    /// The label may go on or end.
    Labelled,
}

/// Follows an answer and says which ids may come next.
///
/// It forces no first box by itself: whether there is one is asked of [`first_box`](Self::first_box).
#[derive(Debug, Clone)]
pub struct Grammar {
    marks: Marks,
    /// Ids in front of which no word of a label is: padding, ends and beginnings.
    first_word: usize,
    masks: bool,
    state: State,
}

impl Grammar {
    /// For a tokenizer with `<loc>` and `<seg>` tokens behind all words, as PaliGemma's are; none for others.
    ///
    /// `ends` are the ids that end an answer.
    pub fn new(tokenizer: &Tokenizer, ends: &[u32], masks: bool) -> Option<Self> {
        let marks = tokenizer.marks()?;
        let first_word = ends.iter().map(|&id| id as usize + 1).max().unwrap_or(0);
        // Ends among the words would have to be cut out of their middle.
        let words_first = first_word <= 16 && marks.locations.start < marks.segments.start;
        words_first.then_some(Self { marks, first_word, masks, state: State::Free })
    }

    /// The likeliest first edge, id and logit, if a box is likelier than all else that an answer may begin with.
    ///
    /// Where a box might begin at one of many places, each of them is less likely than the one token that says there is
    /// nothing, though all together they are not. So a greedy answer may begin with a box where the model by itself would
    /// have said that there is nothing: the one thing in which the grammar changes a well-formed answer.
    pub fn first_box(&self, logits: &[f32], logsumexp: f32) -> Option<(u32, f32)> {
        let marks = &self.marks.locations;
        let edges = logits.get(marks.start as usize..marks.end as usize)?;
        let share: f64 = edges.iter().map(|logit| f64::from(logit - logsumexp).exp()).sum();
        let best = (marks.start..).zip(edges.iter().copied()).max_by(|a, b| a.1.total_cmp(&b.1))?;
        (share > 0.5).then_some(best)
    }

    /// Takes note of a token; `piece` is its text.
    pub fn push(&mut self, tokenizer: &Tokenizer, id: u32, piece: &str) {
        let mark = tokenizer.mark(id);
        self.state = match (self.state, mark) {
            (State::Box(edges), Mark::Location(_)) if edges + 1 < EDGES => State::Box(edges + 1),
            (State::Box(_), Mark::Location(_)) if self.masks => State::Mask(0),
            (State::Box(_), Mark::Location(_)) => State::Unlabelled,
            (State::Mask(codes), Mark::Segment(_)) if codes + 1 < CODES => State::Mask(codes + 1),
            (State::Mask(_), Mark::Segment(_)) => State::Unlabelled,
            (State::Free, Mark::Location(_)) => State::Box(1),
            (State::Unlabelled | State::Labelled, Mark::Text) if piece.contains(';') => State::Free,
            (State::Unlabelled | State::Labelled, Mark::Text) => State::Labelled,
            // Not reached while the ids are kept to; whatever comes then may go on.
            _ => State::Free,
        };
    }

    /// Ids for the coming steps as far as they do not depend on tokens that are not known yet; at least one.
    ///
    /// `None` are all ids.
    pub fn ahead(&self) -> Vec<Option<Range<usize>>> {
        let range = |marks: &Range<u32>| Some(marks.start as usize..marks.end as usize);
        let (edges, codes) = match self.state {
            State::Box(edges) => (EDGES - edges, if self.masks { CODES } else { 0 }),
            State::Mask(codes) => (0, CODES - codes),
            State::Free | State::Unlabelled | State::Labelled => (0, 0),
        };
        let words = self.marks.locations.start as usize;
        let last = match self.state {
            State::Free => None,
            State::Labelled => Some(0..words),
            State::Box(_) | State::Mask(_) | State::Unlabelled => Some(self.first_word..words),
        };
        let mut ahead = vec![range(&self.marks.locations); usize::from(edges)];
        ahead.extend(vec![range(&self.marks.segments); usize::from(codes)]);
        ahead.push(last);
        ahead
    }
}
