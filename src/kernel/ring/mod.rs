//! The kernel's trace ring: our own instance of tracefs, in which the kernel records the requested events.
//!
//! `tracefs` is the file system, `instance` the ring from its creation to its removal, `cpu` one processor's part of
//! it. The other modules only decode what is read: `format` (layouts), `pages` (a page to records), `records` (a record
//! to an `Event`), `stats` (counters).

mod cpu;
mod event;
mod format;
mod instance;
mod pages;
mod records;
mod setup_error;
mod stats;
pub(crate) mod tracefs;

pub(crate) use cpu::Ring;
pub(crate) use event::{Comm, Event, EventKind, Nanos};
pub(crate) use instance::Instance;
pub(crate) use pages::PageLayout;
pub(crate) use records::{DESTROYED, Layouts, OTHERS, STATE, THREADS};
pub(crate) use setup_error::SetupError;
pub(crate) use tracefs::Tracefs;
