//! The holders of a socket, or why it has none.

use std::fmt;
use std::sync::Arc;

use super::{Socket, TcpState};

/// One descriptor of one process that refers to a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The process.
    pub process: Arc<Process>,
    /// The descriptor's number.
    pub fd: u32,
}

/// A process. All data except its number and name is read only on request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its name as the kernel has it: any bytes but NUL. The kernel keeps the first 15 of them.
    pub name: Box<[u8]>,
    /// The names of its program that are longer than the kernel keeps.
    pub long_names: Box<[Box<[u8]>]>,
    /// Its user and command line.
    pub details: Option<ProcessDetails>,
    /// The path of its cgroup.
    pub cgroup: Option<Box<str>>,
}

impl Process {
    /// How much of a name the kernel keeps (TASK_COMM_LEN less the NUL).
    pub const NAME_MAX: usize = 15;

    /// A process without further data.
    pub fn new(pid: u32, name: impl Into<Box<[u8]>>) -> Self {
        Self { pid, name: name.into(), long_names: Box::default(), details: None, cgroup: None }
    }
}

/// Further data about a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessDetails {
    /// The user it runs as.
    pub uid: Option<u32>,
    /// That user's name.
    pub user: Option<String>,
    /// Its command line, the words separated by blanks: any bytes, at most the first few thousand, followed by `…` if
    /// the command line is longer.
    pub command: Box<[u8]>,
}

/// How many descriptors a process has open, and how many it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptors {
    /// The process.
    pub pid: u32,
    /// The number of open descriptors, of any kind.
    pub open: u64,
    /// Its soft limit (`RLIMIT_NOFILE`).
    pub limit: u64,
}

/// Why no process is shown for a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OwnerNote {
    /// TIME_WAIT: no program holds the socket any more.
    TimeWait,
    /// SYN_RECV: no program has seen the connection yet.
    HalfOpen,
    /// The program closed it or ended; the kernel finishes the close.
    Orphan,
    /// ESTABLISHED (or closed by the peer since), and still in its listener's accept queue.
    NotAccepted,
    /// No process that could be read holds it; some could not be read.
    NotPermitted,
    /// The socket has an inode, but no process that is visible from here holds it.
    NotFound,
}

impl OwnerNote {
    /// The reason, as far as the socket alone shows it; `None` if it has an inode, and so a holder somewhere.
    pub fn of(socket: &Socket) -> Option<Self> {
        if socket.inode.is_some() {
            return None;
        }
        Some(match socket.state.shown() {
            TcpState::TimeWait => Self::TimeWait,
            TcpState::SynRecv => Self::HalfOpen,
            TcpState::Established | TcpState::CloseWait => Self::NotAccepted,
            TcpState::FinWait1 | TcpState::FinWait2 | TcpState::LastAck | TcpState::Closing => Self::Orphan,
            _ => return None,
        })
    }

    /// One or two words, for a table.
    pub fn short(self) -> &'static str {
        match self {
            Self::TimeWait | Self::HalfOpen => "kernel",
            Self::Orphan => "orphan",
            Self::NotAccepted => "not accepted",
            Self::NotPermitted => "unknown",
            Self::NotFound => "not found",
        }
    }
}

impl fmt::Display for OwnerNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimeWait => "belongs to the kernel: time-wait",
            Self::HalfOpen => "belongs to the kernel: half-open",
            Self::Orphan => "closed by its program",
            Self::NotAccepted => "waits in its listener's accept queue",
            Self::NotPermitted => "may be held by a process that could not be read",
            Self::NotFound => "held by no process that can be seen from here",
        })
    }
}
