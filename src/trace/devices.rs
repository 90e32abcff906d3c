//! The network devices of this namespace. A socket that is bound to one, as each with a link-local address is, is found
//! only by one who names it, and events do not.

use rustix::net::netdevice::name_to_index;
use rustix::net::{AddressFamily, SocketType, socket};

use super::event::Nanos;
use crate::kernel::files;

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
            self.numbers = read();
        }
        &self.numbers
    }
}

/// None where they can't be read: this is a second attempt at most.
fn read() -> Vec<u32> {
    /// With more of them, asking for each would take too long.
    const ENOUGH: usize = 16;
    // The question is about its network namespace, so any will do.
    let any = socket(AddressFamily::UNIX, SocketType::DGRAM, None);
    let (Ok(table), Ok(any)) = (files::read_text("/proc/thread-self/net/dev"), any) else {
        return Vec::new();
    };
    let names = table.lines().filter_map(|line| Some(line.split_once(':')?.0.trim()));
    names.filter_map(|name| name_to_index(&any, name).ok()).take(ENOUGH).collect()
}
