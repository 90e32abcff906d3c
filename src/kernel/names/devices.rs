//! Device names by their index.

use rustc_hash::FxHashMap;
use rustix::fd::OwnedFd;
use rustix::net::netdevice::{index_to_name, name_to_index};
use rustix::net::{AddressFamily, SocketType, socket};

use crate::kernel::files;

/// The index of a device of this network namespace.
pub(crate) fn device_index(name: &str) -> Option<u32> {
    name_to_index(any_socket()?, name).ok()
}

/// A socket for questions about devices. Only its network namespace matters, so any kind of socket works.
fn any_socket() -> Option<OwnedFd> {
    socket(AddressFamily::UNIX, SocketType::DGRAM, None).ok()
}

/// The indexes of this network namespace's first devices: with many devices, asking for each would take too long. Empty
/// if the devices cannot be read.
pub(crate) fn device_indexes() -> Vec<u32> {
    const ENOUGH: usize = 16;
    let (Ok(table), Some(any)) = (files::read_text("/proc/thread-self/net/dev"), any_socket()) else {
        return Vec::new();
    };
    let names = table.lines().filter_map(|line| Some(line.split_once(':')?.0.trim()));
    names.filter_map(|name| name_to_index(&any, name).ok()).take(ENOUGH).collect()
}

/// The names of this network namespace's devices, looked up on demand.
#[derive(Debug, Default)]
pub(crate) struct Interfaces {
    names: FxHashMap<u32, String>,
    asker: Option<OwnedFd>,
}

impl Interfaces {
    /// Looks up the name, unless it is known; 0 is no device. A device that no longer exists is called by its index.
    pub(crate) fn look_up(&mut self, index: u32) {
        if index == 0 || self.names.contains_key(&index) {
            return;
        }
        let name = self.ask(index).unwrap_or_else(|| index.to_string());
        self.names.insert(index, name);
    }

    /// The name that was looked up.
    pub(crate) fn name(&self, index: u32) -> Option<&str> {
        self.names.get(&index).map(String::as_str)
    }

    fn ask(&mut self, index: u32) -> Option<String> {
        if self.asker.is_none() {
            self.asker = any_socket();
        }
        index_to_name(self.asker.as_ref()?, index).ok()
    }
}
