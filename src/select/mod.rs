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

use crate::model::{Holder, Row};

/// A word of an option as the option has it: JSON and CSV have `_` for its `-`, and headings begin with a capital.
pub fn key_word(word: &str) -> String {
    word.to_ascii_lowercase().replace('_', "-")
}

/// Something that counts sockets and keeps none.
///
/// Holders are looked for when all sockets are known. Until then a counter keeps of a socket what it needs of it, under
/// a number.
pub trait Counter: Send {
    /// Begins anew.
    fn reset(&mut self);

    /// Counts a socket.
    fn count(&mut self, row: &Row<'_>);

    /// Keeps what matters of a socket whose holders are not known yet; another one like it may get the same number.
    fn put_off(&mut self, row: &Row<'_>) -> u32;

    /// Counts the socket that has this number, now that its holders are known.
    fn count_put_off(&mut self, number: u32, holders: &[Holder]);
}
