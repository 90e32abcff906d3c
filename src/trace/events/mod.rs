//! Transitions from the kernel's events.

mod bytes;
mod clues;
mod connections;
mod minisockets;
mod names;
mod pending;
mod ports;
mod tracepoints;

pub(super) use tracepoints::Tracepoints;
