//! `trace`: every transition of real connections, at the kernel's tracepoints and by snapshots.

mod closing;
mod connections;
mod harness;
mod names;
mod poll;
mod ports;
mod recording;
mod running;
mod transitions;
