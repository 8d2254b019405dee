use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use super::SessionFault;
use crate::base::Result;

/// A flag that stops work at the next token or layer. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Stops the work that holds this token.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Fails with [`SessionFault::Cancelled`] once the token is cancelled.
    pub fn check(&self) -> Result<(), SessionFault> {
        if self.0.load(Ordering::Relaxed) { Err(SessionFault::Cancelled) } else { Ok(()) }
    }

    /// Runs `work` until it ends or, at one of the points where it yields, the token is cancelled.
    pub async fn guard<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let mut work = pin!(work);
        std::future::poll_fn(|context| match self.check() {
            Err(cancelled) => Poll::Ready(Err(cancelled.into())),
            Ok(()) => work.as_mut().poll(context),
        })
        .await
    }
}
