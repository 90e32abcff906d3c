//! Transitions as the trace reports them, and what is made of many: connections, and counts.

mod change;
mod stories;
mod tally;

pub(crate) use change::{Bytes, Change, Meaning, NOTICE_WAIT, OnCpu, Told};
pub(crate) use stories::{Side, Stories, Story};
pub(crate) use tally::Tally;
