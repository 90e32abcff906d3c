//! What becomes of the sockets that fit the filter: put in order, or counted.

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
