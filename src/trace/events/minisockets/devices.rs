//! The network devices of this namespace. sock_diag finds a socket that is bound to a device, such as any with a
//! link-local address, only if the device is given, and events do not have it.

use crate::kernel::names::device_indexes;
use crate::kernel::ring::Nanos;

/// The devices' numbers, read again now and then.
#[derive(Debug, Default)]
pub(super) struct Devices {
    numbers: Vec<u32>,
    /// When to read them again.
    until: Nanos,
}

impl Devices {
    /// The numbers of the devices, at most a second old.
    pub(super) fn numbers(&mut self, now: Nanos) -> &[u32] {
        const AT_MOST: Nanos = 1_000_000_000;
        if now >= self.until {
            self.until = now + AT_MOST;
            self.numbers = device_indexes();
        }
        &self.numbers
    }
}
