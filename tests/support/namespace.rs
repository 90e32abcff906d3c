//! A network namespace of a test's own, so that its sockets are the only ones
//! there and nothing it does reaches the machine's network.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::panic::resume_unwind;
use std::process::{Command, Stdio};
use std::thread;

use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};

/// A network namespace with its loopback device up.
///
/// It lives as long as this value, the threads and processes inside it and
/// their sockets do.
pub(crate) struct Namespace {
    link: OwnedFd,
}

impl Namespace {
    /// Makes a namespace; the error says why none can be had here, for a test
    /// to say why it was skipped.
    pub(crate) fn new() -> Result<Self, String> {
        // A thread of its own, as the namespace is the thread's: the caller
        // stays where it is.
        let link = thread::spawn(unshared_link).join().unwrap_or_else(|panic| resume_unwind(panic))?;
        let namespace = Self { link };
        namespace.ip("link set lo up")?;
        Ok(namespace)
    }

    /// Runs `f` on a fresh thread inside the namespace. Threads and processes
    /// which `f` starts are inside too.
    pub(crate) fn inside<T: Send>(&self, f: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            scope
                .spawn(|| {
                    self.enter();
                    f()
                })
                .join()
                .unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    /// Sets a sysctl of the namespace, named as below `/proc/sys/net`:
    /// `ipv4/tcp_syn_retries`.
    pub(crate) fn sysctl(&self, name: &str, value: &str) {
        let path = format!("/proc/sys/net/{name}");
        self.inside(|| fs::write(&path, value))
            .unwrap_or_else(|error| panic!("cannot write {value} to {path}: {error}"));
    }

    /// Runs `ip -batch` on `commands`, one to a line, inside the namespace.
    pub(crate) fn ip(&self, commands: &str) -> Result<(), String> {
        self.inside(|| ip_batch(commands))
    }

    fn enter(&self) {
        move_into_link_name_space(self.link.as_fd(), Some(LinkNameSpaceType::Network))
            .unwrap_or_else(|error| panic!("cannot enter the network namespace: {error}"));
    }
}

/// Leaves the calling thread in a network namespace of its own, and returns
/// the link which keeps that alive when the thread has ended.
fn unshared_link() -> Result<OwnedFd, String> {
    // SAFETY: only the thread's network namespace changes; its descriptor
    // table stays shared with the other threads.
    unsafe { unshare_unsafe(UnshareFlags::NEWNET) }
        .map_err(|error| format!("cannot make a network namespace: {error}"))?;
    // Not `/proc/self`, which is the main thread's.
    File::open("/proc/thread-self/ns/net")
        .map(OwnedFd::from)
        .map_err(|error| format!("cannot open the new network namespace: {error}"))
}

/// Gives the calling thread mounts of its own, which end with it and with what it holds.
pub(crate) fn own_mounts() -> Result<(), String> {
    // SAFETY: the thread's root and working folder come with its mounts; its descriptor table stays shared.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS | UnshareFlags::FS) }
        .map_err(|error| format!("cannot make a mount namespace: {error}"))?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).map_err(|error| format!("cannot keep mounts to itself: {error}"))
}

fn ip_batch(commands: &str) -> Result<(), String> {
    let mut ip = Command::new("ip")
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run ip: {error}"))?;
    // Taken, so that its end is closed once all is written.
    let mut stdin = ip.stdin.take().expect("ip's stdin is a pipe");
    let written = stdin.write_all(commands.as_bytes());
    drop(stdin);
    let output = ip.wait_with_output().map_err(|error| format!("cannot wait for ip: {error}"))?;
    if output.status.success() {
        written.map_err(|error| format!("cannot write to ip: {error}"))
    } else {
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(format!("ip failed ({}): {}", output.status, stderr.trim()))
    }
}
