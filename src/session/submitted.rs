use super::SessionError;
use super::player::Pending;
use crate::base::Result;
use crate::models::states;

/// The likeliest next token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopToken {
    /// Below the vocabulary's size.
    pub id: u32,
    /// After the model's softcap, before temperature.
    pub logit: f32,
    /// ln of the sum of exp of all logits.
    pub logsumexp: f32,
}

/// A pass on its way: await it for its result.
pub struct Submitted {
    pub(super) pending: Pending,
    /// Position after each sequence's last row.
    pub(super) positions: Vec<usize>,
    /// k of the candidates that the pass sorts; 0 where it sorts none.
    pub(super) top_k: usize,
}

/// What a pass says of a sequence's next token: the likeliest, and the best candidates `(id, logit)` by falling logit if
/// the pass sorts them.
pub type Next = (TopToken, Vec<(u32, f32)>);

impl Submitted {
    /// What may come next in the only sequence.
    ///
    /// # Errors
    /// Logits that are no numbers, a failing device.
    pub async fn result(self) -> Result<Next> {
        let missing = || SessionError::MissingState(states::CHOICE.into());
        Ok(self.results().await?.into_iter().next().ok_or_else(missing)?)
    }

    /// What may come next in each sequence.
    ///
    /// # Errors
    /// Logits that are no numbers, a failing device.
    pub async fn results(self) -> Result<Vec<Next>> {
        let bytes = self.pending.await?;
        let words: Vec<u32> = bytemuck::pod_collect_to_vec(&bytes);
        let (choices, tops) = words.split_at((CHOICE_WORDS * self.positions.len()).min(words.len()));
        let mut tops = tops.chunks_exact(2 * self.top_k.max(1));
        let mut results = Vec::with_capacity(self.positions.len());
        for (choice, &position) in choices.chunks_exact(CHOICE_WORDS).zip(&self.positions) {
            let token =
                TopToken { id: choice[0], logit: f32::from_bits(choice[1]), logsumexp: f32::from_bits(choice[2]) };
            if token.id == u32::MAX || !token.logsumexp.is_finite() {
                return Err(SessionError::NotFinite { position }.into());
            }
            let top = tops.next().unwrap_or_default().chunks_exact(2);
            let top = top.map(|c| (c[1], f32::from_bits(c[0]))).filter(|c| c.0 != u32::MAX).collect();
            results.push((token, top));
        }
        Ok(results)
    }
}

/// Words of a choice: id, logit, logsumexp, and one that fills it up.
pub(super) const CHOICE_WORDS: usize = 4;
