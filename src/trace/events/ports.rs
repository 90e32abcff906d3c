//! Local ports of connections in SYN_SENT. Their event comes before the kernel has chosen the port, and their next
//! event may be minutes away, so sock_diag is asked for it.

use std::net::IpAddr;
use std::ops::ControlFlow;

use rustc_hash::{FxHashMap, FxHashSet};

use super::pending::{PendingChange, Status};
use crate::kernel::clock::Clock;
use crate::kernel::ring::Nanos;
use crate::kernel::sock_diag::{connect, dump};
use crate::model::{Endpoint, Ends, Sink, Socket, Source, StateSet, TcpState};
use crate::model::{Families, KernelFilter, Query};

/// What earlier answers have shown.
#[derive(Debug, Default)]
pub(super) struct Ports {
    /// Cookies of sockets in the last answer that no later question is about.
    known: FxHashSet<u64>,
}

impl Ports {
    /// Notes the sockets that exist before the trace: no transition of theirs will be asked for.
    pub(super) fn new() -> Self {
        let known = unanswered().iter().filter_map(|socket| socket.cookie).collect();
        Self { known }
    }

    /// Fills in the ports of transitions up to the time `until`, where exactly one socket of this network namespace
    /// can be meant.
    pub(super) fn fill_in<'a>(
        &mut self,
        changes: impl Iterator<Item = &'a mut PendingChange>,
        clock: Clock,
        until: Nanos,
    ) {
        let sockets = unanswered();
        let asked_at = clock.now();
        let (mut changes, young): (Vec<_>, Vec<_>) = changes.partition(|pending| pending.change.at <= until);
        // A recent connect() may already have been answered; the socket found could then belong to a later connect()
        // whose event has not been read. So transitions that share a key with a recent one are left for later.
        let unclear: FxHashSet<_> = young.iter().map(|pending| key(&pending.change.ends())).collect();
        changes.retain(|pending| !unclear.contains(&key(&pending.change.ends())));
        let mut wanted: FxHashMap<Key, u32> = FxHashMap::default();
        for pending in &changes {
            *wanted.entry(key(&pending.change.ends())).or_default() += 1;
        }
        let mut known = FxHashSet::default();
        let mut new: FxHashMap<Key, Vec<u16>> = FxHashMap::default();
        for socket in &sockets {
            let key = key(&Ends::of(socket));
            let is_old = socket.cookie.is_some_and(|cookie| self.known.contains(&cookie));
            // A new socket that no transition asks for is not noted: its event has not been read yet.
            if is_old || wanted.contains_key(&key) {
                known.extend(socket.cookie);
            }
            if !is_old {
                new.entry(key).or_default().push(socket.local.port);
            }
        }
        for pending in &mut changes {
            let key = key(&pending.change.ends());
            // With several sockets or transitions for a key, it is unknown which socket belongs to which transition.
            if let (Some([port]), Some(1)) = (new.get(&key).map(Vec::as_slice), wanted.get(&key)) {
                pending.change.local.port = *port;
            }
            // The connection may be answered by now, and the socket found be of a later connect(): an event from
            // before the question would show that.
            pending.status = Status::PortAsked(asked_at);
        }
        self.known = known;
    }
}

/// What a socket is matched by: its local address, and the peer's address and port.
type Key = (IpAddr, Endpoint);

fn key(ends: &Ends) -> Key {
    // Events do not have the scope of an address.
    (ends.local.addr, Endpoint::new(ends.peer.addr, ends.peer.port))
}

/// All sockets in SYN_SENT whose port the kernel chose. Of a socket that was bound to a port, the event has the port.
fn unanswered() -> Vec<Socket> {
    /// `INET_DIAG_BC_AUTO`: on a match jump 4 bytes, to the end of the program, which accepts; otherwise 8 bytes,
    /// which rejects.
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

/// Collects the rows of an answer.
#[derive(Default)]
struct Found {
    sockets: Vec<Socket>,
}

impl Sink for Found {
    fn begin(&mut self, _source: Source) {
        self.sockets.clear();
    }

    fn row(&mut self, socket: &Socket) -> ControlFlow<()> {
        /// More SYN_SENT sockets than this are not read: nobody can follow a trace of so many.
        const ENOUGH: usize = 10_000;
        self.sockets.push(socket.clone());
        if self.sockets.len() < ENOUGH { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}
