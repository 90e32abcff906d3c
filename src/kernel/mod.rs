//! The floor that asks the system.

pub(crate) mod files;
#[allow(unsafe_code)]
pub(crate) mod kcmp;
