use std::sync::{Arc, Mutex};

use crate::base::lock;
use crate::session::CancelToken;

/// The id of an answer's token, and its log-probability.
pub(super) type ScoredToken = (u32, f32);

/// One call of a model: how it is stopped, and the tokens of its answer so far. Clones share both.
///
/// Where a device is lost, the same call on another one takes up the answer behind its last token.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// Stops it.
    pub cancel: CancelToken,
    transcript: Arc<Mutex<Vec<ScoredToken>>>,
}

impl Call {
    /// Adds a token to the answer so far.
    pub(super) fn record(&self, token: ScoredToken) {
        lock(&self.transcript).push(token);
    }

    /// The tokens so far, which are forgotten: whoever replays them records them again.
    pub(super) fn drain(&self) -> Vec<ScoredToken> {
        std::mem::take(&mut lock(&self.transcript))
    }

    /// Its answer is given: the next call with it begins anew.
    pub fn forget(&self) {
        lock(&self.transcript).clear();
    }
}

impl From<CancelToken> for Call {
    fn from(cancel: CancelToken) -> Self {
        Self { cancel, ..Self::default() }
    }
}
