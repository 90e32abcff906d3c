//! What the tests share: the state zoo, and a runner for the program.

pub(crate) mod document;
pub(crate) mod dumps;
pub(crate) mod holder;
mod keeper;
#[allow(unsafe_code, reason = "unshare(2) can break what other threads rely on")]
pub(crate) mod namespace;
mod packet;
#[allow(unsafe_code, reason = "ioctl(2) has no safe wrapper for TUN devices")]
pub(crate) mod peer;
mod plans;
mod proc_table;
pub(crate) mod reflector;
pub(crate) mod run;
mod script;
mod sockets;
pub(crate) mod tracefs;
pub(crate) mod zoo;

use namespace::Namespace;
use zoo::Zoo;

/// Prints that a test was skipped; under CI, where everything is available, it fails.
pub(crate) fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "would be skipped, which CI does not allow: {why}");
    // Past the test harness, which shows what a test prints only when it fails.
    let _ = rustix::io::write(rustix::stdio::stderr(), format!("skipped: {why}\n").as_bytes());
}

/// The value, or the note that the test was skipped for want of it.
pub(crate) fn or_skip<T>(had: Result<T, String>) -> Option<T> {
    had.map_err(|why| skip(&why)).ok()
}

pub(crate) fn zoo() -> Option<Zoo> {
    or_skip(Zoo::new())
}

pub(crate) fn namespace() -> Option<Namespace> {
    or_skip(Namespace::new())
}

/// Another program, if it is installed.
pub(crate) fn has(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths).any(|folder| folder.join(program).is_file());
    if !found {
        skip(&format!("there is no {program} here"));
    }
    found
}
