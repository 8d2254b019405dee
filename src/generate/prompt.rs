use crate::models::Grammar;

/// What the decoder continues.
#[derive(Debug, Clone, Copy)]
pub struct Prompt<'a> {
    /// The whole prefix; ids with the top bit set are rows of the encoded pictures.
    pub ids: &'a [u32],
    /// Ids that end the answer.
    pub eos: &'a [u32],
    /// What an answer must keep to, if anything. Beams do not: each would need a grammar of its own.
    pub grammar: Option<&'a dyn Grammar>,
}
