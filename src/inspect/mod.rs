//! From a question to sockets: which source answers, and what could not be seen.

mod enrichment;
mod listeners;
mod peers;
mod source;

pub(crate) use enrichment::Enrichment;
pub(crate) use listeners::Listeners;
pub(crate) use peers::Peers;
pub(crate) use source::{CollectError, collect};
