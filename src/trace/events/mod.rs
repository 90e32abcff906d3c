//! Transitions from the kernel's events.
//!
//! `tracepoints` reads the rings and runs the rest. `connections` joins the events of one socket to transitions.
//! These wait in `pending` until nothing older can come and nothing they lack is still expected: `clues` chooses the
//! reason of a closing, `ports` finds the local port of a SYN_SENT, `minisockets` finds what the kernel keeps in
//! place of a closed socket. `names` knows the processes, `bytes` the byte counts.

mod bytes;
mod clues;
mod connections;
mod minisockets;
mod names;
mod pending;
mod ports;
mod tracepoints;

pub(super) use tracepoints::Tracepoints;
