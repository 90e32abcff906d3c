//! The table as a whole.

use super::Field;
use super::addresses::ADDRESSES;
use super::around::{EXTENDED, HOSTS, PROCESSES, TIMERS};
use super::concluded::CONCLUDED;
use super::connection::{ABOVE, NUMBERS, WORDS};
use super::memory::MEMORY;

/// Every field, in the order of JSON's keys and CSV's columns.
pub fn all() -> impl Iterator<Item = &'static Field> + Clone {
    let parts = [ADDRESSES, HOSTS, PROCESSES, EXTENDED, TIMERS, MEMORY, WORDS, NUMBERS, ABOVE, CONCLUDED];
    parts.into_iter().flatten()
}
