//! The kernel's `sock_diag` interface: the socket, the request and the dump apart from the pure decoding of bytes.

pub mod datagrams;
pub mod decode;
mod dump;
mod frame;
mod lookup;
mod notices;
mod repeats;
pub mod request;
mod split;
mod ulp;
mod walk;

use std::io;

use rustix::io::Errno;

pub use datagrams::{Datagram, Datagrams, Recording, connect};
pub use dump::{Connect, dump};
pub use lookup::lookup;
pub use notices::Notices;
pub use split::middle_port;

/// A step of the conversation that failed.
#[derive(Debug, thiserror::Error)]
pub enum NetlinkError {
    /// A system call failed.
    #[error("netlink: {call}: {source}")]
    Call {
        /// What was attempted.
        call: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The kernel refused the request.
    #[error("netlink: the kernel refused the dump: {source}{}", note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default())]
    Refused {
        /// Its error number.
        source: io::Error,
        /// What it said beside the number.
        note: Option<String>,
    },
    /// The kernel can't, or must not, evaluate a term that only it can.
    #[error("netlink: the kernel refused the filter's '{term}': {source}{}", needed(source))]
    FilterRefused {
        /// The term.
        term: String,
        /// Its error number.
        source: io::Error,
    },
    /// The dump broke off each time it was tried.
    #[error("netlink: the dump broke off {tries} times: {reason}")]
    BrokeOff {
        /// How often.
        tries: u32,
        /// What happened the last time.
        reason: String,
    },
}

/// What is needed for a firewall mark.
fn needed(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::PermissionDenied { " (CAP_NET_ADMIN is needed)" } else { "" }
}

impl NetlinkError {
    /// Whether nothing can be asked here: forbidden, not built into the kernel, or kept away by whatever stands between
    /// (a sandbox answers `ECONNREFUSED` or `EINVAL`, or what it likes). What this process lacks itself, such as a free
    /// descriptor, says nothing of netlink.
    pub fn means_unavailable(&self) -> bool {
        let (Self::Call { source, .. } | Self::Refused { source, .. }) = self else { return false };
        let errno = Errno::from_io_error(source);
        !matches!(errno, Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS))
    }
}
