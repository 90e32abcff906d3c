//! The local ports of connections that wait for an answer to their SYN: the event comes before the kernel has chosen
//! one, and the next event may be minutes away.

use std::net::IpAddr;
use std::ops::ControlFlow;

use rustc_hash::{FxHashMap, FxHashSet};

use super::pending::{PendingChange, Status};
use crate::kernel::clock::Clock;
use crate::kernel::ring::{Ends, Nanos};
use crate::kernel::sock_diag::{connect, dump};
use crate::model::{Endpoint, Sink, Socket, Source, StateSet, TcpState};
use crate::model::{Families, KernelFilter, Query};

/// What is known of such connections.
#[derive(Debug, Default)]
pub(super) struct Ports {
    /// The cookies of those that are no answer any more.
    known: FxHashSet<u64>,
}

impl Ports {
    /// Those that are there already are no answer to anything.
    pub(super) fn new() -> Self {
        let known = unanswered().iter().filter_map(|socket| socket.cookie).collect();
        Self { known }
    }

    /// Fills in the ports of the sockets whose lines are as old as this, as far as this network namespace has them and
    /// leaves no choice.
    pub(super) fn fill_in<'a>(
        &mut self,
        lines: impl Iterator<Item = &'a mut PendingChange>,
        clock: Clock,
        until: Nanos,
    ) {
        let sockets = unanswered();
        let asked_at = clock.now();
        let (mut lines, young): (Vec<_>, Vec<_>) = lines.partition(|line| line.change.at <= until);
        // The answer to a young one may be on its way to us, and what is found be of the next, whose event is.
        let unclear: FxHashSet<_> = young.iter().map(|line| key(&line.change.ends())).collect();
        lines.retain(|line| !unclear.contains(&key(&line.change.ends())));
        let mut wanted: FxHashMap<Key, u32> = FxHashMap::default();
        for line in &lines {
            *wanted.entry(key(&line.change.ends())).or_default() += 1;
        }
        let mut known = FxHashSet::default();
        let mut new: FxHashMap<Key, Vec<u16>> = FxHashMap::default();
        for socket in &sockets {
            let key = key(&Ends::of(socket));
            let is_old = socket.cookie.is_some_and(|cookie| self.known.contains(&cookie));
            // The event of one that no line is of is on its way.
            if is_old || wanted.contains_key(&key) {
                known.extend(socket.cookie);
            }
            if !is_old {
                new.entry(key).or_default().push(socket.local.port);
            }
        }
        for line in &mut lines {
            let key = key(&line.change.ends());
            // Of several that began at once it can't be told which is which.
            if let (Some([port]), Some(1)) = (new.get(&key).map(Vec::as_slice), wanted.get(&key)) {
                line.change.local.port = *port;
            }
            // It may have its answer by now, and what was found be of another that began just now.
            line.status = Status::PortAsked(asked_at);
        }
        self.known = known;
    }
}

/// The local address and the peer's ends, by which such a connection is looked for.
type Key = (IpAddr, Endpoint);

fn key(ends: &Ends) -> Key {
    // The scope of an address is not told by events.
    (ends.local.addr, Endpoint::new(ends.peer.addr, ends.peer.port))
}

/// The connections that wait for an answer and have a port that the kernel chose: of all others the event told it.
fn unanswered() -> Vec<Socket> {
    /// `INET_DIAG_BC_AUTO`: 4 bytes on where it holds, which is the end, else 8.
    const AUTOBOUND: [u8; 2] = [6, 4];
    let bytecode = [AUTOBOUND, 8_u16.to_ne_bytes()].concat();
    let mut found = Found::default();
    let mut query = Query::new(Families::Both, StateSet::exactly(TcpState::SynSent));
    let says = "autobound".to_owned();
    query.kernel_filter = Some(KernelFilter { bytecode, kernel_only: Some(says.clone()), says });
    match dump(&query, None, &mut connect, &mut found) {
        Ok(_) => found.sockets,
        Err(_) => Vec::new(),
    }
}

#[derive(Default)]
struct Found {
    sockets: Vec<Socket>,
}

impl Sink for Found {
    fn begin(&mut self, _source: Source) {
        self.sockets.clear();
    }

    fn row(&mut self, socket: &Socket) -> ControlFlow<()> {
        /// More than this are no picture for people.
        const ENOUGH: usize = 10_000;
        self.sockets.push(socket.clone());
        if self.sockets.len() < ENOUGH { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}
