//! Sorts or counts the sockets that match the filter.

mod changes;
mod groups;
mod one_state;
mod sort;
mod states;

pub use changes::{Census, Change, Changes};
pub use groups::{Amount, CountKey, GroupCounts, KeyValue, net_of};
pub use one_state::OneState;
pub use sort::{SortDirection, SortTerm};
pub use states::StateCounts;
