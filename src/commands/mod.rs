//! What the program does: a folder or a file a command, with its arguments, its plan and its run.

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
pub(crate) mod suggest;
pub(crate) mod trace;

/// The commands' names, as they are typed.
pub(crate) const NAMES: [&str; 5] = ["explain", "demo", "bind", "diagnose", "trace"];

/// The one that prints the manual and the completions; it is in no help.
pub(crate) const HIDDEN: &str = "generate";
