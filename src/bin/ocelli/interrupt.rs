//! Ctrl-C: the first one cancels the work, the second one ends the process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use ocelli::session::CancelToken;

use super::error::{CliError, INTERRUPTED};

/// A token that Ctrl-C cancels.
pub fn token() -> Result<CancelToken, CliError> {
    let token = CancelToken::default();
    let cancelled = token.clone();
    let again = AtomicBool::new(false);
    let on_interrupt = move || {
        if again.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED.into());
        }
        cancelled.cancel();
    };
    ctrlc::set_handler(on_interrupt).map_err(CliError::Interrupt)?;
    Ok(token)
}

/// Lets the CPU player stop at every layer, where cancellation is noticed; without it a long prompt would run to its end.
pub fn breathe(waker: &Waker) -> bool {
    waker.wake_by_ref();
    true
}
