//! What the threads of one answer share.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes what threads share. None leaves it half changed: what one that panicked has left is as good.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
