//! From a question to rows: which source answers, which sockets fit, what is looked up for them, and what could not be
//! seen.

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
pub(crate) use inquiry::Inquiry;
pub use inspector::{Error, Inspector, Selection, Snapshot};
pub(crate) use question::{Misuse, Question, resolve};
pub(crate) use source::{CollectError, collect};
