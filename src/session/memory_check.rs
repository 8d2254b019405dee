//! Whether a device has memory for a model: asked before anything is allocated, since half a model is of no use.

use super::Player;
use crate::base::{Details, ErrorKind, LayerError, Remedy, Setting};

/// A model that needs more memory than there is.
#[derive(Debug, thiserror::Error)]
#[error(
    "the model needs {needed} bytes of memory, {weights} of them for its weights, and {available} bytes are available"
)]
pub struct NotEnoughMemory {
    needed: u64,
    weights: u64,
    available: u64,
}

impl LayerError for NotEnoughMemory {
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

/// Checks that weights of so many bytes and the caches of one question fit a player's memory, where it is known how
/// much that is.
pub(super) fn check(player: &Player, weights: u64, caches: u64) -> Result<(), NotEnoughMemory> {
    let Some(available) = player.available() else { return Ok(()) };
    let needed = caches.saturating_add(weights);
    if needed <= available { Ok(()) } else { Err(NotEnoughMemory { needed, weights, available }) }
}
