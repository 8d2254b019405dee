//! What an answer with objects may hold: `<loc>` x 4, `<seg>` x 16 where masks are wanted, a label, and again after
//! `;`.

use std::ops::Range;

use super::tokens::{ObjectTokens, SpecialToken};
use crate::models::Grammar;

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
/// It forces no first box by itself: whether there is one is asked of [`first`](Grammar::first).
#[derive(Debug, Clone)]
pub struct ObjectGrammar {
    tokens: ObjectTokens,
    /// Ids in front of which no word of a label is: padding, ends and beginnings.
    first_word: usize,
    masks: bool,
    state: State,
}

impl ObjectGrammar {
    /// For `<loc>` and `<seg>` tokens behind all words, as PaliGemma's are; none for others.
    ///
    /// `ends` are the ids that end an answer.
    pub fn new(tokens: &ObjectTokens, ends: &[u32], masks: bool) -> Option<Self> {
        if tokens.locations.is_empty() || tokens.segments.is_empty() {
            return None;
        }
        let first_word = ends.iter().map(|&id| id as usize + 1).max().unwrap_or(0);
        // Ends among the words would have to be cut out of their middle.
        let words_first = first_word <= 16 && tokens.locations.start < tokens.segments.start;
        words_first.then(|| Self { tokens: tokens.clone(), first_word, masks, state: State::Free })
    }
}

impl Grammar for ObjectGrammar {
    fn begin(&self) -> Box<dyn Grammar> {
        Box::new(Self { state: State::Free, ..self.clone() })
    }

    /// The likeliest first edge, if a box is likelier than all else that an answer may begin with.
    ///
    /// Where a box might begin at one of many places, each of them is less likely than the one token that says there is
    /// nothing, though all together they are not. So a greedy answer may begin with a box where the model by itself
    /// would have said that there is nothing: the one thing in which the grammar changes a well-formed answer.
    fn first(&self, logits: &[f32], logsumexp: f32) -> Option<(u32, f32)> {
        let locations = &self.tokens.locations;
        let edges = logits.get(locations.start as usize..locations.end as usize)?;
        let share: f64 = edges.iter().map(|logit| f64::from(logit - logsumexp).exp()).sum();
        let best = (locations.start..).zip(edges.iter().copied()).max_by(|a, b| a.1.total_cmp(&b.1))?;
        (share > 0.5).then_some(best)
    }

    fn push(&mut self, id: u32, piece: &str) {
        let token = self.tokens.special_token(id);
        self.state = match (self.state, token) {
            (State::Box(edges), SpecialToken::Location(_)) if edges + 1 < EDGES => State::Box(edges + 1),
            (State::Box(_), SpecialToken::Location(_)) if self.masks => State::Mask(0),
            (State::Box(_), SpecialToken::Location(_)) => State::Unlabelled,
            (State::Mask(codes), SpecialToken::Segment(_)) if codes + 1 < CODES => State::Mask(codes + 1),
            (State::Mask(_), SpecialToken::Segment(_)) => State::Unlabelled,
            (State::Free, SpecialToken::Location(_)) => State::Box(1),
            (State::Unlabelled | State::Labelled, SpecialToken::Text) if piece.contains(';') => State::Free,
            (State::Unlabelled | State::Labelled, SpecialToken::Text) => State::Labelled,
            // Not reached while the ids are kept to; whatever comes then may go on.
            _ => State::Free,
        };
    }

    fn ahead(&self) -> Vec<Option<Range<usize>>> {
        let range = |tokens: &Range<u32>| Some(tokens.start as usize..tokens.end as usize);
        let (edges, codes) = match self.state {
            State::Box(edges) => (EDGES - edges, if self.masks { CODES } else { 0 }),
            State::Mask(codes) => (0, CODES - codes),
            State::Free | State::Unlabelled | State::Labelled => (0, 0),
        };
        let words = self.tokens.locations.start as usize;
        let last = match self.state {
            State::Free => None,
            State::Labelled => Some(0..words),
            State::Box(_) | State::Mask(_) | State::Unlabelled => Some(self.first_word..words),
        };
        let mut ahead = vec![range(&self.tokens.locations); usize::from(edges)];
        ahead.extend(vec![range(&self.tokens.segments); usize::from(codes)]);
        ahead.push(last);
        ahead
    }
}
