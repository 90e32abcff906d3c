//! Host names.

use std::net::{IpAddr, ToSocketAddrs};

/// The addresses of a host, each once; none where the name is not known.
pub fn host_addresses(name: &str) -> Vec<IpAddr> {
    let mut addrs: Vec<_> = (name, 0).to_socket_addrs().into_iter().flatten().map(|addr| addr.ip()).collect();
    addrs.sort_unstable();
    addrs.dedup();
    addrs
}
