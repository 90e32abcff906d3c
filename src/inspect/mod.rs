//! From a question to sockets: which source answers, and what could not be seen.

mod source;

pub(crate) use source::{CollectError, collect};
