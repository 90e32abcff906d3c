//! Host names: the addresses of names, and the names of addresses, these all at once and before a deadline.

use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::Gap;

/// How many look-ups run side by side at most.
const AT_ONCE: usize = 32;

/// The addresses of a host, each once; none where the name is not known.
pub fn host_addresses(name: &str) -> Vec<IpAddr> {
    let mut addrs: Vec<_> = (name, 0).to_socket_addrs().into_iter().flatten().map(|addr| addr.ip()).collect();
    addrs.sort_unstable();
    addrs.dedup();
    addrs
}

/// The names of addresses.
#[derive(Debug, Default)]
pub struct Hosts {
    names: FxHashMap<IpAddr, String>,
    late: u64,
}

impl Hosts {
    /// Asks for the name of each address once, and waits for the answers no longer than this. Look-ups that take
    /// longer are left to themselves: nothing can end them.
    pub fn resolve(addrs: impl IntoIterator<Item = IpAddr>, timeout: Duration) -> Self {
        let deadline = Instant::now() + timeout;
        let asked: FxHashSet<IpAddr> =
            addrs.into_iter().map(|addr| addr.to_canonical()).filter(|addr| !addr.is_unspecified()).collect();
        let (answers, received) = mpsc::channel();
        let count = asked.len();
        let left = Arc::new(Mutex::new(asked.into_iter()));
        for _ in 0..count.min(AT_ONCE) {
            let (left, answers) = (left.clone(), answers.clone());
            // Where no thread can be had the others take its share, and if there is none the numbers stay.
            let _ = std::thread::Builder::new().spawn(move || {
                let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
                while let Some(addr) = next() {
                    let name = dns_lookup::lookup_addr(&addr).ok();
                    if answers.send((addr, name)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(answers);
        let mut hosts = Self::default();
        let mut answered = 0;
        while let Ok((addr, name)) = received.recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            answered += 1;
            hosts.names.extend(name.map(|name| (addr, name)));
        }
        hosts.late = (count - answered) as u64;
        hosts
    }

    /// The name that came in time.
    pub fn name(&self, addr: IpAddr) -> Option<&str> {
        self.names.get(&addr.to_canonical()).map(String::as_str)
    }

    /// What did not come in time.
    pub fn gap(&self) -> Option<Gap> {
        (self.late > 0).then_some(Gap::NamesLate { count: self.late })
    }
}
