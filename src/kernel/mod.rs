//! The lowest layer: asks the system.

pub(crate) mod clock;
pub(crate) mod files;
pub mod host;
#[allow(unsafe_code, reason = "kcmp(2) has no safe wrapper")]
pub(crate) mod kcmp;
mod lock;
pub(crate) mod names;
#[allow(unsafe_code, reason = "unshare(2) can break what other threads rely on")]
pub(crate) mod netns;
pub(crate) mod process;
pub mod procfs;
pub(crate) mod ring;
pub mod sock_diag;
pub(crate) mod try_bind;
#[allow(unsafe_code, reason = "ioctl(2) has no safe wrapper for these requests")]
pub(crate) mod tun;

pub(crate) use lock::lock;
