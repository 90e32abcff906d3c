//! The kernel's `sock_diag` interface. The netlink socket, the request and the dump are separate from the pure decoding
//! of bytes.

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

/// A failed step of the conversation with the kernel.
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
        /// The kernel's error number.
        source: io::Error,
        /// The kernel's message beside the number.
        note: Option<String>,
    },
    /// The kernel cannot, or is not allowed to, evaluate a term that only the kernel can evaluate.
    #[error("netlink: the kernel refused the filter's '{term}': {source}{}", needed(source))]
    FilterRefused {
        /// The term.
        term: String,
        /// The kernel's error number.
        source: io::Error,
    },
    /// The dump broke off each time it was tried.
    #[error("netlink: the dump broke off {tries} times: {reason}")]
    BrokeOff {
        /// How often it was tried.
        tries: u32,
        /// What happened the last time.
        reason: String,
    },
}

/// The capability that a firewall mark needs.
fn needed(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::PermissionDenied { " (CAP_NET_ADMIN is needed)" } else { "" }
}

impl NetlinkError {
    /// Whether netlink is unavailable here: forbidden, not built into the kernel, or blocked by something in between (a
    /// sandbox answers `ECONNREFUSED`, `EINVAL` or any other error). A resource that this process itself lacks, such as
    /// a free descriptor, does not mean that netlink is unavailable.
    pub fn means_unavailable(&self) -> bool {
        let (Self::Call { source, .. } | Self::Refused { source, .. }) = self else { return false };
        let errno = Errno::from_io_error(source);
        !matches!(errno, Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS))
    }
}
