//! The network devices of this namespace. A socket that is bound to one, as each with a link-local address is, is found
//! only by one who names it, and events do not.

use crate::kernel::names::device_indexes;
use crate::kernel::ring::Nanos;

/// The devices' numbers, as they were a while ago.
#[derive(Debug, Default)]
pub(super) struct Devices {
    numbers: Vec<u32>,
    /// When they are read anew.
    until: Nanos,
}

impl Devices {
    /// The devices as they are now, or nearly so.
    pub(super) fn numbers(&mut self, now: Nanos) -> &[u32] {
        const LONG: Nanos = 1_000_000_000;
        if now >= self.until {
            self.until = now + LONG;
            self.numbers = device_indexes();
        }
        &self.numbers
    }
}
