//! Why the kernel's trace ring is unavailable.

use std::fmt;
use std::io;

use rustix::process::geteuid;
use rustix::thread::{CapabilitySet, capabilities};

use crate::kernel::files;

/// Why the kernel's trace ring is unavailable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    /// A call on tracefs failed.
    #[error("tracefs: {what}: {error}{}", Needed::after(.error))]
    Tracefs {
        /// The path within tracefs, or `mount`.
        what: String,
        /// The call's error.
        error: io::Error,
    },
    /// The event that reports transitions lacks a field that is needed.
    #[error("tracefs: events/sock/inet_sock_set_state: unknown fields")]
    Fields,
}

impl SetupError {
    pub(crate) fn tracefs(what: &str, error: impl Into<io::Error>) -> Self {
        Self::Tracefs { what: what.to_owned(), error: error.into() }
    }
}

/// What this process lacks if a call was refused for lack of privilege.
enum Needed {
    Root,
    Capability,
    /// The process is root, but only in a user namespace.
    HostsRoot,
    Unknown,
}

impl Needed {
    fn after(error: &io::Error) -> Self {
        if error.kind() != io::ErrorKind::PermissionDenied {
            return Self::Unknown;
        }
        let has_admin =
            capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::SYS_ADMIN));
        match (geteuid().is_root(), has_admin) {
            (false, _) => Self::Root,
            (true, false) => Self::Capability,
            (true, true) if in_user_namespace() => Self::HostsRoot,
            (true, true) => Self::Unknown,
        }
    }
}

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Root => " (root is needed)",
            Self::Capability => " (CAP_SYS_ADMIN is needed)",
            Self::HostsRoot => " (the host's root is needed: this process is in a user namespace)",
            Self::Unknown => "",
        })
    }
}

/// The initial user namespace maps every user to itself.
fn in_user_namespace() -> bool {
    let map = files::read_text("/proc/self/uid_map").unwrap_or_default();
    let mut words = map.split_whitespace();
    let is_identity =
        [words.next(), words.next(), words.next()] == [Some("0"), Some("0"), Some("4294967295")];
    !map.is_empty() && !is_identity
}
