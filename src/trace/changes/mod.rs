//! Transitions as a trace reports them, and what is made of many: connections and counts.

mod change;
mod meaning;
mod observation;
mod stories;
mod tally;

pub(crate) use change::{OnCpu, StateChange};
pub(crate) use meaning::Meaning;
pub(crate) use observation::{Bytes, NOTICE_WAIT, Observation};
pub(crate) use stories::{Side, Stories, Story};
pub(crate) use tally::Tally;
