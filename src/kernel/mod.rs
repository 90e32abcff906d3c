//! The floor that asks the system.

pub(crate) mod files;
pub mod host;
#[allow(unsafe_code)]
pub(crate) mod kcmp;
mod lock;
pub(crate) mod names;
pub(crate) mod process;
pub mod procfs;
pub mod sock_diag;

pub(crate) use lock::lock;
