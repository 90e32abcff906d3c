//! A host: a network namespace with one TUN device, removed when the value is dropped.

use std::fs::{self, File};
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;

use rustix::process::{getegid, geteuid};

use crate::kernel::netns::{self, on_a_thread};
use crate::kernel::tun;

/// The step that fails if no thread can be started.
const THREAD: &str = "start a thread";

/// A step of making or using a host failed.
#[derive(Debug, thiserror::Error)]
#[error("set the scene: {what}: {source}")]
pub(crate) struct HostError {
    what: &'static str,
    source: io::Error,
}

fn failed(what: &'static str) -> impl Fn(io::Error) -> HostError {
    move |source| HostError { what, source }
}

/// A network namespace with an address.
pub(super) struct Host {
    namespace: OwnedFd,
    /// Whole IPv4 packets: those that the host sends are read here, those for it are written.
    pub(super) tun: File,
}

impl Host {
    /// Makes a host with this address; its peers are in the same /24.
    pub(super) fn new(addr: Ipv4Addr) -> Result<Self, HostError> {
        // On a separate thread: only that thread enters the new namespace, and the caller stays in its own.
        let made = on_a_thread(|| {
            netns::unshare_net().map_err(failed("unshare"))?;
            let namespace = netns::current().map_err(failed("/proc/thread-self/ns/net"))?;
            let tun = tun::open().map_err(failed("/dev/net/tun"))?;
            tun::configure(addr).map_err(failed("give its device an address"))?;
            Ok(Self { namespace, tun })
        });
        made.map_err(failed(THREAD))?
    }

    /// Runs `f` inside the namespace.
    pub(super) fn inside<T: Send>(&self, f: impl FnOnce() -> T + Send) -> io::Result<T> {
        on_a_thread(|| {
            netns::enter(&self.namespace)?;
            Ok(f())
        })
        .map_err(|error| io::Error::new(error.kind(), format!("{THREAD}: {error}")))?
    }

    /// Changes a setting, named by its path below /proc/sys/net. If this kernel lacks the setting, does nothing.
    pub(super) fn set(&self, name: &'static str, value: &str) -> Result<(), HostError> {
        let path = format!("/proc/sys/net/{name}");
        let written = self.inside(|| fs::write(path, value)).and_then(|written| written);
        written
            .or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
            .map_err(failed(name))
    }
}

/// Enters a new user namespace, in which a process without privilege can make network namespaces. The whole process
/// moves there, so it must have no other thread.
pub(super) fn enter_user_namespace() -> Result<(), HostError> {
    let (uid, gid) = (geteuid(), getegid());
    netns::unshare_user().map_err(|error| failed("a user namespace")(error.into()))?;
    let map = |path: &'static str, text: String| fs::write(path, text).map_err(failed(path));
    map("/proc/self/setgroups", "deny".to_owned())?;
    map("/proc/self/uid_map", format!("0 {} 1", uid.as_raw()))?;
    map("/proc/self/gid_map", format!("0 {} 1", gid.as_raw()))
}

impl HostError {
    /// Whether a privilege is missing.
    pub(super) fn is_denied(&self) -> bool {
        self.source.kind() == io::ErrorKind::PermissionDenied
    }

    /// Whether no thread could be started.
    pub(super) fn lacks_thread(&self) -> bool {
        self.what == THREAD
    }

    /// Whether the limit on namespaces is reached, which the kernel reports as a lack of space.
    pub(super) fn is_limited(&self) -> bool {
        self.source.kind() == io::ErrorKind::StorageFull
    }
}
