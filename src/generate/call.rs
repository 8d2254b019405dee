use std::sync::{Arc, Mutex};

use crate::base::lock;
use crate::session::CancelToken;

/// A token of an answer, and its log-probability.
pub(super) type Taken = (u32, f32);

/// One call of a model: how it is stopped, and what it has said so far. Clones share both.
///
/// Where a device is lost, the same call on another one takes up the answer behind its last token.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// Stops it.
    pub cancel: CancelToken,
    said: Arc<Mutex<Vec<Taken>>>,
}

impl Call {
    /// Notes a token.
    pub(super) fn say(&self, taken: Taken) {
        lock(&self.said).push(taken);
    }

    /// The tokens so far, which are taken back: they are to be said again.
    pub(super) fn take_back(&self) -> Vec<Taken> {
        std::mem::take(&mut lock(&self.said))
    }

    /// Its answer is given: the next call with it begins anew.
    pub fn forget(&self) {
        lock(&self.said).clear();
    }
}

impl From<CancelToken> for Call {
    fn from(cancel: CancelToken) -> Self {
        Self { cancel, ..Self::default() }
    }
}
