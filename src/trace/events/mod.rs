//! Transitions from the kernel's events.

mod bytes;
mod connections;
mod lines;
mod meaning;
mod minisockets;
mod names;
mod ports;
mod tracepoints;

pub(super) use tracepoints::Tracepoints;
