use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use super::GpuError;
use crate::base::lock;

/// What the device may still refuse: calls that cannot wait for its word leave it here, and whoever waits for the
/// device next hears it.
#[derive(Clone, Default)]
pub(super) struct Doubts(Arc<Mutex<Vec<Doubt>>>);

type Doubt = Pin<Box<dyn Future<Output = Option<GpuError>>>>;

impl Doubts {
    /// Adds one; those that follow from it come after it.
    pub fn add(&self, doubt: impl Future<Output = Option<GpuError>> + 'static) {
        lock(&self.0).push(Box::pin(doubt));
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        lock(&self.0).is_empty()
    }

    /// The first refusal, or none when all words are in; what a refusal entailed is forgotten with it.
    pub fn poll(&self, context: &mut Context<'_>) -> Poll<Option<GpuError>> {
        let mut doubts = lock(&self.0);
        while let Some(first) = doubts.first_mut() {
            match first.as_mut().poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => drop(doubts.remove(0)),
                Poll::Ready(Some(error)) => {
                    doubts.clear();
                    return Poll::Ready(Some(error));
                }
            }
        }
        Poll::Ready(None)
    }
}

impl fmt::Debug for Doubts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} doubts", lock(&self.0).len())
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::task::Waker;

    use super::*;

    fn refusal(reason: &str) -> GpuError {
        GpuError::DeviceLost { reason: reason.into() }
    }

    #[test]
    fn the_first_refusal_takes_along_what_followed_from_it() {
        let doubts = Doubts::default();
        let mut context = Context::from_waker(Waker::noop());
        doubts.add(ready(None));
        doubts.add(ready(Some(refusal("first"))));
        doubts.add(ready(Some(refusal("second"))));
        assert_eq!(doubts.poll(&mut context), Poll::Ready(Some(refusal("first"))));
        assert_eq!(doubts.poll(&mut context), Poll::Ready(None));
    }

    #[test]
    fn a_word_that_is_not_in_is_waited_for() {
        let doubts = Doubts::default();
        let mut context = Context::from_waker(Waker::noop());
        doubts.add(pending());
        assert_eq!(doubts.poll(&mut context), Poll::Pending);
        assert!(!doubts.is_empty());
    }
}
