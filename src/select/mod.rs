//! What becomes of the sockets that fit the filter: put in order, or counted.

mod changes;
mod count;
mod groups;
mod sort;

pub use changes::{Change, Changes};
pub use count::StateCounts;
pub use groups::{CountKey, GroupCounts, Value};
pub use sort::{Direction, SortKey, SortTerm, sort};
