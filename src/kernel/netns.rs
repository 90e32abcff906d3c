//! Creates and enters network namespaces.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};

/// Runs `f` on a new thread and waits for the thread to end; what `f` changes for its own thread ends with the thread.
pub(crate) fn on_a_thread<T: Send>(f: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, f)?;
        Ok(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Moves the calling thread into a network namespace of its own.
pub(crate) fn unshare_net() -> io::Result<()> {
    // SAFETY: only this thread's network namespace changes; its descriptors stay shared.
    unsafe { unshare_unsafe(UnshareFlags::NEWNET) }?;
    Ok(())
}

/// The calling thread's network namespace, which exists at least as long as the returned descriptor.
pub(crate) fn current() -> io::Result<OwnedFd> {
    Ok(File::open("/proc/thread-self/ns/net")?.into())
}

/// Moves the calling thread into this network namespace.
pub(crate) fn enter(namespace: &OwnedFd) -> io::Result<()> {
    Ok(move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?)
}

/// Moves the process into a user namespace of its own; it must have no other thread.
///
/// The kernel still counts a thread that was joined a moment ago, and refuses a process with two threads (EINVAL).
pub(crate) fn unshare_user() -> Result<(), Errno> {
    let deadline = Instant::now() + Duration::from_secs(1);
    loop {
        // SAFETY: no descriptor table is unshared.
        match unsafe { unshare_unsafe(UnshareFlags::NEWUSER) } {
            Err(Errno::INVAL) if Instant::now() < deadline => thread::sleep(Duration::from_millis(1)),
            done => return done,
        }
    }
}
