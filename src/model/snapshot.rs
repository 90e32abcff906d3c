//! What is known of a listing besides its sockets.

use std::fmt;

/// Where the sockets were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The kernel's `sock_diag` netlink interface.
    Netlink,
    /// /proc/net/tcp and tcp6.
    Procfs,
}

impl Source {
    /// As the JSON has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Netlink => "netlink",
            Self::Procfs => "procfs",
        }
    }
}

/// Something that could not be seen. Every listing carries its gaps: an empty one must not look like a failed one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// netlink could not be had, so /proc was read.
    FellBack {
        /// What failed, and why.
        reason: String,
    },
    /// The kernel's dump did not come through whole.
    DumpInterrupted {
        /// What happened.
        reason: String,
    },
    /// Replies that are no socket.
    Undecodable {
        /// How many.
        messages: u64,
        /// What was wrong with the first.
        first: String,
    },
    /// Lines of a /proc file that are no socket.
    BadLines {
        /// The file.
        path: String,
        /// How many.
        count: u64,
        /// The first ones' numbers, counted from 1 at the file's first line.
        lines: Vec<u64>,
        /// What was wrong with the first.
        first: String,
    },
    /// A file that could not be read, or not to its end.
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// Something that was asked for, and that /proc does not have.
    SourceLacks {
        /// What.
        what: String,
    },
    /// Processes whose descriptors could not be read.
    ProcessesDenied {
        /// How many.
        count: u64,
    },
    /// Names of addresses that did not come before the deadline.
    NamesLate {
        /// How many addresses.
        count: u64,
    },
    /// Names of addresses that were not asked for.
    NamesUnasked {
        /// How many addresses.
        count: u64,
        /// Why.
        reason: String,
    },
    /// Other users' processes are not even listed.
    ProcessesHidden,
    /// A word of the kernel's beside its answer.
    KernelNote(String),
}

impl Gap {
    /// What would fill the gap.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::FellBack { .. } => {
                Some("--source procfs reads /proc at once; --source netlink makes this an error")
            }
            Self::ProcessesDenied { .. } | Self::ProcessesHidden => {
                Some("run it as root, or with CAP_SYS_PTRACE, to see every process")
            }
            Self::NamesLate { .. } => Some("--resolve-timeout SECONDS waits longer"),
            Self::NamesUnasked { .. } => {
                Some("the limits on processes (ulimit -u, the cgroup's pids.max) count threads too")
            }
            _ => None,
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FellBack { reason } => write!(f, "netlink could not be used, so /proc was read: {reason}"),
            Self::DumpInterrupted { reason } => write!(f, "the list may be incomplete: {reason}"),
            Self::Undecodable { messages, first } => {
                write!(f, "{messages} of the kernel's replies could not be read: {first}")
            }
            Self::BadLines { path, count, lines, first } => write_bad_lines(f, path, *count, lines, first),
            Self::Unreadable { path, reason } => write!(f, "{path} could not be read: {reason}"),
            Self::SourceLacks { what } => write!(f, "/proc does not tell {what}"),
            Self::ProcessesDenied { count: 1 } => {
                f.write_str("the descriptors of 1 process could not be read: permission denied")
            }
            Self::ProcessesDenied { count } => {
                write!(f, "the descriptors of {count} processes could not be read: permission denied")
            }
            Self::NamesLate { count: 1 } => f.write_str("the name of 1 address did not come in time"),
            Self::NamesLate { count } => write!(f, "the names of {count} addresses did not come in time"),
            Self::NamesUnasked { count, reason } => {
                let noun = if *count == 1 {
                    "the name of 1 address"
                } else {
                    &format!("the names of {count} addresses")
                };
                write!(f, "{noun} could not be looked up: start a thread: {reason}")
            }
            Self::ProcessesHidden => {
                f.write_str("other users' processes are hidden: /proc is mounted with hidepid")
            }
            Self::KernelNote(text) => write!(f, "the kernel says: {text}"),
        }
    }
}

fn write_bad_lines(
    f: &mut fmt::Formatter<'_>,
    path: &str,
    count: u64,
    lines: &[u64],
    first: &str,
) -> fmt::Result {
    let numbers: Vec<String> = lines.iter().map(u64::to_string).collect();
    let more = if count > lines.len() as u64 { ", …" } else { "" };
    let noun = if count == 1 { "line" } else { "lines" };
    write!(f, "{path}: {count} {noun} could not be read ({noun} {}{more}): {first}", numbers.join(", "))
}

/// The outcome of a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Where the sockets came from.
    pub source: Source,
    /// What could not be seen.
    pub gaps: Vec<Gap>,
}
