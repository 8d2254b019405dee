use std::fmt::Debug;
use std::ops::Range;

/// What an answer must keep to: follows one and says which ids may come next.
pub trait Grammar: Debug {
    /// The same grammar at the start of an answer.
    fn begin(&self) -> Box<dyn Grammar>;

    /// Takes note of a token; `piece` is its text.
    fn push(&mut self, id: u32, piece: &str);

    /// Ids for the coming steps as far as they do not depend on tokens that are not known yet; at least one.
    ///
    /// `None` are all ids.
    fn ahead(&self) -> Vec<Option<Range<usize>>>;

    /// The id and logit that a greedy answer begins with, where it is another than the likeliest: `logits` are those at
    /// the end of the prompt.
    fn first(&self, logits: &[f32], logsumexp: f32) -> Option<(u32, f32)>;
}
