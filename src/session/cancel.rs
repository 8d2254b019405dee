use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use super::SessionError;
use crate::base::{Result, lock};

/// A flag that stops work at the next token or layer. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<Flag>);

#[derive(Debug, Default)]
struct Flag {
    cancelled: AtomicBool,
    /// Whoever waits in [`CancelToken::guard`].
    waiting: Mutex<Option<Waker>>,
}

impl CancelToken {
    /// Stops the work that holds this token. Who waits for a device is woken at once; what was already submitted to a
    /// GPU still runs there, its result unread.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::SeqCst);
        let waiting = lock(&self.0.waiting).take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// Fails with [`SessionError::Cancelled`] once the token is cancelled.
    pub fn check(&self) -> Result<(), SessionError> {
        if self.0.cancelled.load(Ordering::SeqCst) { Err(SessionError::Cancelled) } else { Ok(()) }
    }

    /// Runs `work` until it ends or, while it waits or at one of the points where it yields, the token is cancelled.
    pub async fn guard<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let mut work = pin!(work);
        std::future::poll_fn(|context| {
            // Before the check: a cancel in between finds the waker.
            *lock(&self.0.waiting) = Some(context.waker().clone());
            match self.check() {
                Err(cancelled) => Poll::Ready(Err(cancelled.into())),
                Ok(()) => work.as_mut().poll(context),
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::task::{Context, Wake};

    use super::*;
    use crate::base::ErrorKind;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn cancelling_wakes_whoever_waits_for_a_device() {
        let token = CancelToken::default();
        let woken = Arc::new(Count::default());
        let waker = Waker::from(woken.clone());
        let mut context = Context::from_waker(&waker);
        // As a device that never answers.
        let mut work = pin!(token.guard(std::future::pending::<Result<()>>()));
        assert!(work.as_mut().poll(&mut context).is_pending());
        assert_eq!(woken.0.load(Ordering::SeqCst), 0);
        token.clone().cancel();
        assert_eq!(woken.0.load(Ordering::SeqCst), 1);
        match work.as_mut().poll(&mut context) {
            Poll::Ready(Err(error)) => assert_eq!(error.kind(), ErrorKind::Cancelled),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn finished_work_is_handed_on() {
        let mut context = Context::from_waker(Waker::noop());
        let token = CancelToken::default();
        let mut work = pin!(token.guard(std::future::ready(Ok(7))));
        assert!(matches!(work.as_mut().poll(&mut context), Poll::Ready(Ok(7))));
    }
}
