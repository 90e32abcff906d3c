//! What becomes of the sockets that fit the filter: put in order, or counted.

mod changes;
mod count;
mod groups;
mod one_state;
mod sort;

pub use changes::{Census, Change, Changes};
pub use count::StateCounts;
pub use groups::{CountKey, GroupCounts, Value, net_of};
pub use one_state::OneState;
pub use sort::{Direction, SortKey, SortTerm};

/// A word of an option as the option has it: JSON and CSV have `_` for its `-`, and headings begin with a capital.
pub fn key_word(word: &str) -> String {
    word.to_ascii_lowercase().replace('_', "-")
}
