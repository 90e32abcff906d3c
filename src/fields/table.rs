//! The table as a whole.

use super::Field;
use super::addresses::ADDRESSES;
use super::around::{EXTENDED, HOSTS, PROCESSES, TIMERS};
use super::concluded::CONCLUDED;
use super::connection::{ABOVE, NUMBERS, WORDS};
use super::memory::MEMORY;

/// The columns that `-e` adds to the table and to the plain list: the other fields of that part are those of the
/// cgroup's path once more, or rare.
pub fn extended_columns() -> impl Iterator<Item = &'static Field> + Clone {
    const WORDS: [&str; 5] = ["user", "inode", "cookie", "cgroup", "mark"];
    WORDS.into_iter().filter_map(|word| all().find(|field| field.word == word))
}

/// Every field, in the order of JSON's keys and CSV's columns.
pub fn all() -> impl Iterator<Item = &'static Field> + Clone {
    let parts = [ADDRESSES, HOSTS, PROCESSES, EXTENDED, TIMERS, MEMORY, WORDS, NUMBERS, ABOVE, CONCLUDED];
    parts.into_iter().flatten()
}
