//! The floor that asks the system.

pub mod files;
