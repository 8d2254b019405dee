use super::pieces::Pieces;
use crate::base::sort_by;

/// What an unknown letter scores below the least likely piece.
const PENALTY: f64 = 10.0;

/// Unigram: of all ways to cut a text into pieces, the one whose scores have the largest sum.
#[derive(Debug)]
pub(super) struct Unigram {
    pub pieces: Pieces,
    /// Log-probabilities, by id.
    pub scores: Vec<f64>,
    /// The token of letters that are no pieces.
    pub unknown: u32,
    /// Whether those are told as bytes, where the vocabulary has all of them.
    pub fallback: bool,
    /// Ids in the order of their pieces' bytes; of equal pieces the last one.
    order: Vec<u32>,
    /// Where in `order` the pieces of each first byte start, and where those of the last one end.
    starts: Vec<u32>,
    /// `<0x00>` to `<0xFF>`.
    bytes: [Option<u32>; 256],
    /// What an unknown letter scores.
    unknown_score: f64,
}

/// The best way to a place in a text.
#[derive(Clone, Copy)]
struct Best {
    score: f64,
    /// Where its last piece starts; `usize::MAX` where nothing leads here.
    start: usize,
    id: u32,
}

impl Unigram {
    /// None unless there is a score for each piece and `unknown` is one of them.
    pub fn new(pieces: Pieces, scores: Vec<f64>, unknown: u32, fallback: bool) -> Option<Self> {
        if scores.len() != pieces.len() as usize || unknown >= pieces.len() {
            return None;
        }
        let mut order: Vec<u32> = (0..pieces.len()).filter(|&id| !pieces.bytes(id).is_empty()).collect();
        sort_by(&mut order, |&a, &b| pieces.bytes(a).cmp(pieces.bytes(b)).then(b.cmp(&a)));
        order.dedup_by(|b, a| pieces.bytes(*a) == pieces.bytes(*b));
        let place = |byte: usize| order.partition_point(|&id| usize::from(pieces.bytes(id)[0]) < byte) as u32;
        let starts = (0..=256).map(place).collect();
        let unknown_score = scores.iter().copied().fold(f64::INFINITY, f64::min) - PENALTY;
        let mut new = Self { pieces, scores, unknown, fallback, order, starts, bytes: [None; 256], unknown_score };
        new.bytes = std::array::from_fn(|byte| new.id(&format!("<0x{byte:02X}>")));
        Some(new)
    }

    /// The id of a piece.
    pub fn id(&self, piece: &str) -> Option<u32> {
        let found = self.order.binary_search_by(|&id| self.pieces.bytes(id).cmp(piece.as_bytes())).ok()?;
        Some(self.order[found])
    }

    /// Appends the ids of a word.
    pub fn encode(&self, word: &str, ids: &mut Vec<u32>) {
        let best = self.best(word);
        let mut cuts = Vec::new();
        let mut end = word.len();
        while let Some(step) = best.get(end).filter(|step| end > 0 && step.start < end) {
            cuts.push((step.start..end, step.id));
            end = step.start;
        }
        let mut cuts = cuts.into_iter().rev().peekable();
        while let Some((mut part, id)) = cuts.next() {
            if id != self.unknown {
                ids.push(id);
                continue;
            }
            while let Some((more, _)) = cuts.next_if(|&(_, id)| id == self.unknown) {
                part.end = more.end;
            }
            self.encode_unknown(&word[part], ids);
        }
    }

    /// A run of unknown letters: a piece after all, bytes, or one token.
    fn encode_unknown(&self, run: &str, ids: &mut Vec<u32>) {
        if let Some(id) = self.id(run) {
            return ids.push(id);
        }
        let bytes = || run.bytes().map(|byte| self.bytes[usize::from(byte)]).collect::<Option<Vec<u32>>>();
        match self.fallback.then(bytes).flatten() {
            Some(bytes) => ids.extend(bytes),
            None => ids.push(self.unknown),
        }
    }

    /// The best way to each place of a word. Of equal ones the first that was found is kept: that whose last piece is
    /// the longest.
    fn best(&self, word: &str) -> Vec<Best> {
        let mut best = vec![Best { score: 0.0, start: usize::MAX, id: 0 }; word.len() + 1];
        for (start, letter) in word.char_indices() {
            let score = best[start].score;
            let mut offer = |end: usize, id: u32, more: f64| {
                let known = &mut best[end];
                if known.start == usize::MAX || score + more > known.score {
                    *known = Best { score: score + more, start, id };
                }
            };
            let mut single = false;
            self.pieces_at(&word.as_bytes()[start..], |length, id| {
                single |= length == letter.len_utf8();
                offer(start + length, id, self.scores[id as usize]);
            });
            if !single {
                offer(start + letter.len_utf8(), self.unknown, self.unknown_score);
            }
        }
        best
    }

    /// The pieces that a text starts with, shortest first.
    fn pieces_at(&self, text: &[u8], mut take: impl FnMut(usize, u32)) {
        let Some(&first) = text.first() else { return };
        let place = |byte: usize| self.starts[byte] as usize;
        let mut range = &self.order[place(usize::from(first))..place(usize::from(first) + 1)];
        // All of the range share so many bytes with the text.
        let mut shared = 1;
        while let Some((&shortest, others)) = range.split_first() {
            let piece = self.pieces.bytes(shortest);
            if others.is_empty() {
                if text.starts_with(piece) {
                    take(piece.len(), shortest);
                }
                return;
            }
            if piece.len() == shared {
                take(shared, shortest);
                range = others;
            }
            let Some(&next) = text.get(shared) else { return };
            let byte = |id: &u32| self.pieces.bytes(*id)[shared];
            range = &range[range.partition_point(|id| byte(id) < next)..];
            range = &range[..range.partition_point(|id| byte(id) == next)];
            shared += 1;
        }
    }
}
