//! Transitions by comparing snapshots.

mod compare;
mod poll;

pub(super) use poll::Poller;
