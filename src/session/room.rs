//! Whether a device has room for a model: asked before anything is allocated, since half a model is of no use.

use super::Player;
use crate::base::{Details, ErrorKind, Fault, Remedy, Setting, round_up};
use crate::models::paligemma::PaliGemmaConfig;

/// A model that needs more memory than there is.
#[derive(Debug, thiserror::Error)]
#[error(
    "the model needs {needed} bytes of memory, {weights} of them for its weights, and {available} bytes are available"
)]
pub struct NoRoom {
    needed: u64,
    weights: u64,
    available: u64,
}

impl Fault for NoRoom {
    fn kind(&self) -> ErrorKind {
        ErrorKind::OutOfMemory
    }

    fn remedy(&self) -> Remedy {
        Remedy::of([
            "Use a smaller ".into(),
            Setting::Dtype(None).into(),
            " (q8 or q4), close other programs, or use a device with more memory.".into(),
        ])
    }

    fn details(&self) -> Details {
        Details { needed: Some(self.needed), available: Some(self.available), fits: None }
    }
}

/// Tokens of prompt and answer that count in beside one picture.
const TEXT_TOKENS: usize = 256;

/// Checks that weights of so many bytes and what one picture and its answer need fit a player's memory, where it is
/// known how much that is.
pub(super) fn check(player: &Player, config: &PaliGemmaConfig, weights: u64) -> Result<(), NoRoom> {
    let Some(available) = player.available() else { return Ok(()) };
    let t = &config.decoder;
    let tokens = round_up(config.vision.tokens() + TEXT_TOKENS, 64);
    let cache = [2 * size_of::<f32>(), t.layers, t.kv_heads, t.head_dim, tokens].map(|extent| extent as u64);
    let needed = cache.into_iter().fold(1, u64::saturating_mul).saturating_add(weights);
    if needed <= available { Ok(()) } else { Err(NoRoom { needed, weights, available }) }
}
