//! Host names: the addresses of names, and the names of addresses, which are looked up in parallel and before a
//! deadline.

use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::Gap;

/// The maximum number of parallel look-ups.
const AT_ONCE: usize = 32;

/// How often to check whether the caller still waits.
const GLANCE: Duration = Duration::from_millis(50);

/// The addresses of a host, each once; empty if the name is unknown.
pub(crate) fn host_addresses(name: &str) -> Vec<IpAddr> {
    let mut addrs: Vec<_> = (name, 0).to_socket_addrs().into_iter().flatten().map(|addr| addr.ip()).collect();
    addrs.sort_unstable();
    addrs.dedup();
    addrs
}

/// The names of addresses, looked up on demand. They are kept from list to list: each address is looked up once.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostNames {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    answered: Condvar,
}

#[derive(Debug, Default)]
struct State {
    asked: FxHashSet<IpAddr>,
    pending: Vec<IpAddr>,
    answers: FxHashMap<IpAddr, Option<String>>,
    workers: usize,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks up addresses until none is pending.
    fn work(&self) {
        loop {
            let Some(addr) = self.next() else { return };
            let name = dns_lookup::lookup_addr(&addr).ok();
            self.state().answers.insert(addr, name);
            self.answered.notify_all();
        }
    }

    /// The next address; `None` ends the worker.
    fn next(&self) -> Option<IpAddr> {
        let mut state = self.state();
        let next = state.pending.pop();
        if next.is_none() {
            state.workers -= 1;
        }
        next
    }
}

impl HostNames {
    /// Looks up the addresses that were not requested before. Waits until all are answered, `timeout` has passed, or
    /// `ended` says that nobody waits any more. Slower look-ups continue: nothing can end them, and a later list may
    /// use the answer.
    pub(crate) fn resolve(
        &self,
        addrs: impl IntoIterator<Item = IpAddr>,
        timeout: Duration,
        ended: impl Fn() -> bool,
    ) -> Hosts {
        let deadline = Instant::now() + timeout;
        let wanted: FxHashSet<IpAddr> =
            addrs.into_iter().map(|addr| addr.to_canonical()).filter(|addr| !addr.is_unspecified()).collect();
        let mut state = self.shared.state();
        for addr in &wanted {
            if state.asked.insert(*addr) {
                state.pending.push(*addr);
            }
        }
        let unhired = self.hire(&mut state).err().filter(|_| state.workers == 0);
        loop {
            let late = wanted.iter().filter(|addr| !state.answers.contains_key(*addr)).count() as u64;
            let left = deadline.saturating_duration_since(Instant::now());
            if late == 0 || left.is_zero() || state.workers == 0 || ended() {
                let name = |addr: &IpAddr| Some((*addr, state.answers.get(addr)?.clone()?));
                return Hosts { names: wanted.iter().filter_map(name).collect(), late, unhired };
            }
            state = self
                .shared
                .answered
                .wait_timeout(state, left.min(GLANCE))
                .map_or_else(|error| error.into_inner().0, |(state, _)| state);
        }
    }

    /// Starts as many workers as there is work for; an error says why no more threads could be started.
    fn hire(&self, state: &mut State) -> io::Result<()> {
        while state.workers < AT_ONCE.min(state.pending.len()) {
            let shared = self.shared.clone();
            std::thread::Builder::new().spawn(move || shared.work())?;
            state.workers += 1;
        }
        Ok(())
    }
}

/// The names that came in time.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    names: FxHashMap<IpAddr, String>,
    late: u64,
    /// Why no worker looks up the late names.
    unhired: Option<io::Error>,
}

impl Hosts {
    /// The name of an address.
    pub(crate) fn name(&self, addr: IpAddr) -> Option<&str> {
        self.names.get(&addr.to_canonical()).map(String::as_str)
    }

    /// The names that did not come in time.
    pub(crate) fn gap(&self) -> Option<Gap> {
        let count = self.late;
        (count > 0).then(|| match &self.unhired {
            Some(error) => Gap::NamesUnasked { count, reason: error.to_string() },
            None => Gap::NamesLate { count },
        })
    }
}
