//! Locks data that the threads of one answer share.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks the data, and ignores poisoning: no thread leaves the data half changed, so it is valid even after a panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
