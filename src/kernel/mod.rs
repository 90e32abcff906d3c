//! The floor that asks the system.

pub(crate) mod files;
pub mod host;
#[allow(unsafe_code)]
pub(crate) mod kcmp;
mod lock;
pub mod procfs;
pub mod sock_diag;

pub(crate) use lock::lock;
