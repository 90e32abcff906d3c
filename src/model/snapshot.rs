//! The source and the gaps of a listing.

use std::fmt;

use super::Privileges;
use super::cgroup::CgroupLack;

/// Where the sockets were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The kernel's `sock_diag` netlink interface.
    Netlink,
    /// /proc/net/tcp and tcp6.
    Procfs,
}

impl Source {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Netlink => "netlink",
            Self::Procfs => "procfs",
        }
    }
}

/// Something that could not be seen. Every listing carries its gaps: an empty one must not look like a failed one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Gap {
    /// netlink was unavailable, so /proc was read.
    FellBack {
        /// What failed, and why.
        reason: String,
    },
    /// The kernel's dump was incomplete.
    DumpInterrupted {
        /// What happened.
        reason: String,
    },
    /// Replies that are not sockets.
    Undecodable {
        /// How many.
        messages: u64,
        /// What was wrong with the first.
        first: String,
    },
    /// Lines of a /proc file that are not sockets.
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
    /// Requested data that /proc does not have.
    SourceLacks {
        /// What.
        what: String,
    },
    /// Firewall marks were requested, but the kernel reports them only to CAP_NET_ADMIN.
    MarksNotReported,
    /// Sockets that are bound and idle were requested, but the running kernel does not list them.
    IdleUnlisted {
        /// The kernel's release.
        release: String,
    },
    /// Processes whose descriptors may not be read.
    ProcessesDenied {
        /// How many.
        count: u64,
        /// The one with the lowest number.
        first: u32,
        /// The privileges that were not enough, if known.
        privileges: Option<Privileges>,
    },
    /// Something of processes that could not be read for another reason.
    ProcessesUnread {
        /// What.
        what: Unread,
        /// How many processes.
        count: u64,
        /// Why one of them could not be read.
        reason: String,
    },
    /// The search for the sockets' processes took longer than a list without `-p` waits for it.
    ProcessesLate,
    /// Names of addresses that did not come before the deadline.
    NamesLate {
        /// How many addresses.
        count: u64,
    },
    /// Names of addresses that were not looked up.
    NamesUnasked {
        /// How many addresses.
        count: u64,
        /// Why.
        reason: String,
    },
    /// Other users' processes are not even listed.
    ProcessesHidden {
        /// The privileges that were not enough, if known.
        privileges: Option<Privileges>,
    },
    /// Sockets that no process of this PID namespace holds; processes outside of it are not visible.
    OutsidePidNamespace {
        /// How many.
        sockets: u64,
    },
    /// Sockets whose cgroup, unit or container is unknown.
    Cgroups {
        /// How many sockets.
        sockets: u64,
        /// The kind of lack.
        lack: CgroupLack,
        /// Why.
        reason: String,
    },
    /// A message that the kernel sent with its answer.
    KernelNote(String),
}

/// Something of a process that could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unread {
    /// Its open files.
    Descriptors,
    /// Its name.
    Name,
    /// The words that the process was started with.
    CommandLine,
    /// The file that the process runs.
    Program,
    /// Its cgroup.
    Cgroup,
}

impl Unread {
    /// The noun for one process, and for several.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Descriptors => ("descriptors", "descriptors"),
            Self::Name => ("name", "names"),
            Self::CommandLine => ("command line", "command lines"),
            Self::Program => ("program file", "program files"),
            Self::Cgroup => ("cgroup", "cgroups"),
        }
    }
}

impl Gap {
    /// What the user can do about the gap.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::FellBack { .. } => Some(
                "--source procfs reads /proc without trying netlink; --source netlink makes this an error"
                    .to_owned(),
            ),
            Self::ProcessesDenied { privileges, .. } | Self::ProcessesHidden { privileges } => {
                privileges.map(Privileges::hint)
            }
            Self::OutsidePidNamespace { .. } => {
                Some("run tcpstates in the host's PID namespace, in a container with --pid=host".to_owned())
            }
            Self::ProcessesLate => Some("-p shows them, however long it takes".to_owned()),
            Self::NamesLate { .. } => Some("--resolve-timeout SECONDS waits longer".to_owned()),
            Self::NamesUnasked { .. } => Some(
                "the limits on processes (ulimit -u, the cgroup's pids.max) count threads too".to_owned(),
            ),
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
            Self::MarksNotReported => {
                f.write_str("the kernel does not report firewall marks (CAP_NET_ADMIN is needed)")
            }
            Self::SourceLacks { what } => write!(f, "/proc does not have: {what}"),
            Self::IdleUnlisted { release } => write!(
                f,
                "Linux {release} does not list sockets that are bound and idle (CLOSED); Linux 6.8 and later do"
            ),
            Self::ProcessesDenied { count: 1, first, .. } => {
                write!(f, "the descriptors of process {first} could not be read: permission denied")
            }
            Self::ProcessesDenied { count, first, .. } => write!(
                f,
                "the descriptors of {count} processes (the first is {first}) could not be read: permission denied"
            ),
            Self::ProcessesUnread { what, count, reason } => {
                let (one, several) = what.words();
                let (noun, of) = if *count == 1 { (one, "process") } else { (several, "processes") };
                write!(f, "the {noun} of {count} {of} could not be read: {reason}")
            }
            Self::ProcessesLate => f.write_str("the search for processes took too long"),
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
            Self::ProcessesHidden { .. } => {
                f.write_str("other users' processes are hidden: /proc is mounted with hidepid")
            }
            Self::OutsidePidNamespace { sockets } => write!(
                f,
                "no process of this PID namespace holds {}: processes outside of it cannot be seen",
                sockets_text(*sockets)
            ),
            Self::Cgroups { sockets, lack, reason } => {
                let what = match lack {
                    CgroupLack::Unresolved | CgroupLack::Removed => "cgroup",
                    CgroupLack::Hidden => "unit and container",
                };
                write!(f, "the {what} of {} is unknown: {reason}", sockets_text(*sockets))
            }
            Self::KernelNote(text) => write!(f, "the kernel says: {text}"),
        }
    }
}

fn sockets_text(count: u64) -> String {
    if count == 1 { "1 socket".to_owned() } else { format!("{count} sockets") }
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

/// Where sockets were read, and what could not be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collected {
    /// Where the sockets came from.
    pub source: Source,
    /// What could not be seen.
    pub gaps: Vec<Gap>,
}
