//! Plays scenes with real kernel sockets on two hosts, which are network namespaces apart from this host's network.
//! This program is the wire between them: it carries each segment from one host's TUN device to the other's after a
//! delay, or loses it. After each step it asks the kernel for the states of both ends.

mod host;
mod report;
mod scene;
mod segment;
mod wire;

use std::io;
use std::time::Duration;

use crate::model::TcpState;

pub(crate) use host::HostError;
pub(crate) use report::SceneWriter;
pub(crate) use scene::{Scene, play};
pub(crate) use segment::Flags;

/// One of the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The end that connects.
    Client,
    /// The end that listens.
    Server,
}

impl Role {
    /// The end at the other side of the wire.
    #[must_use]
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// The name to print.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// An event, and its time since the scene began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// When.
    pub at: Duration,
    /// What.
    pub what: Happening,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    /// A program made a call.
    Call {
        /// At which end.
        end: Role,
        /// The call, with its error if it failed.
        call: String,
    },
    /// A segment left.
    Segment {
        /// From which end.
        from: Role,
        /// Its flags.
        flags: Flags,
        /// Whether the wire loses it.
        lost: bool,
    },
    /// An end changed its state.
    State {
        /// Which end.
        end: Role,
        /// The state before.
        old: TcpState,
        /// The state after.
        new: TcpState,
        /// What that means.
        meaning: &'static str,
    },
    /// A remark on the scene.
    Remark(String),
}

impl DemoError {
    /// What would help.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Host(error) if error.is_denied() => {
                Some("run it as root: it makes network namespaces, and a TUN device in each")
            }
            Self::Host(error) if error.is_limited() => {
                Some("user.max_net_namespaces and user.max_user_namespaces say how many there may be")
            }
            Self::Host(error) if error.lacks_thread() => {
                Some("the limits on processes (ulimit -u, the cgroup's pids.max) count threads too")
            }
            _ => None,
        }
    }
}

/// Why a scene could not be played.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// The hosts could not be made.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A call that the scene depends on failed.
    #[error("{end}: {call}: {source}", end = .end.name())]
    Call {
        /// At which end.
        end: Role,
        /// What was called.
        call: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The wire broke.
    #[error("the wire between the hosts: {0}")]
    Wire(#[source] io::Error),
    /// The kernel did not report the states.
    #[error("{0}")]
    States(#[from] crate::inspect::CollectError),
    /// The reader closed the output, or the output could not be written.
    #[error("write the output")]
    Watcher(#[source] io::Error),
}
