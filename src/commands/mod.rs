//! The commands: one folder or file each, with its arguments, its plan and its run.

pub(crate) mod args;
pub(crate) mod bind;
pub(crate) mod count;
pub(crate) mod demo;
pub(crate) mod diagnose;
mod errors;
pub(crate) mod explain;
pub(crate) mod field_words;
mod interval;
pub(crate) mod list;
pub(crate) mod running;
pub(crate) mod suggest;
pub(crate) mod trace;

/// The commands' names, as they are typed.
pub(crate) const NAMES: [&str; 5] = ["explain", "demo", "bind", "diagnose", "trace"];

/// The command that prints the manual and the completions; no help text mentions it.
pub(crate) const HIDDEN: &str = "generate";
