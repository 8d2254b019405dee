use std::sync::{Mutex, MutexGuard, PoisonError};

/// The value behind a lock, even if another thread panicked while it held it: what our locks guard is whole after every
/// statement, but for the contents of buffers, which are undefined until they are written anyway.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
