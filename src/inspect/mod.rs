//! From a question to rows: reads a source, filters the sockets, looks up more about them, and reports gaps.

mod admission;
mod doubts;
mod enrichment;
mod error;
mod held;
mod inquiry;
mod inspector;
mod later;
mod listeners;
mod peers;
mod question;
mod source;

pub(crate) use error::InspectError;
pub(crate) use held::Held;
pub(crate) use inquiry::Inquiry;
pub use inspector::{Error, Inspector, Selection, Snapshot};
pub(crate) use question::{Misuse, Question, resolve};
pub(crate) use source::{CollectError, collect};
