//! One integration binary: the program and the library against real sockets, and beside netstat and ss.
//!
//! What needs root, a network namespace or another program says that it was skipped where it can't be had; under CI
//! that is a failure.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that can't go on says so by panicking"
)]

mod allocations;
mod architecture;
mod bind;
mod cgroups;
mod circles;
mod columns;
mod command_line;
mod counts;
mod demo;
mod diagnose;
mod direction;
mod documentation;
mod explain;
mod faults;
mod fields;
mod filters;
mod fuzz;
mod generated;
mod host_names;
mod large;
mod library;
mod names;
mod oracle;
mod output;
mod owners;
mod peers;
mod picture;
mod proc_tree;
mod repeat;
mod schema;
mod shells;
mod states;
mod support;
mod terminal;
mod trace;
mod ulp;
mod words;
mod zoo;
mod zoo_itself;
