//! Transitions found by comparing snapshots: `poll` takes them, `compare` compares them.

mod compare;
mod poll;

pub(super) use poll::Poller;
