//! Transitions as the trace reports them, and what is made of many: connections, and counts.

mod change;
mod meaning;
mod stories;
mod tally;
mod told;

pub(crate) use change::{Change, OnCpu};
pub(crate) use meaning::Meaning;
pub(crate) use stories::{Side, Stories, Story};
pub(crate) use tally::Tally;
pub(crate) use told::{Bytes, NOTICE_WAIT, Told};
