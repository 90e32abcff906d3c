//! What becomes of the sockets that fit the filter: put in order, or counted.

mod count;
mod sort;

pub use count::StateCounts;
pub use sort::{Direction, SortKey, SortTerm, sort};
