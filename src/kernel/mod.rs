//! The floor that asks the system.

pub mod files;
#[allow(unsafe_code)]
pub mod kcmp;
