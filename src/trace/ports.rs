//! The local ports of connections that wait for an answer to their SYN: the event comes before the kernel has chosen
//! one, and the next event may be minutes away.

use std::ops::ControlFlow;

use super::connections::Line;
use crate::collect::Sink;
use crate::collect::netlink::{connect, dump};
use crate::model::{Socket, Source, StateSet, TcpState};
use crate::query::{Families, Query};

/// Fills in the ports of these lines' sockets, as far as this network namespace has them and leaves no choice.
pub(super) fn fill_in<'a>(lines: impl Iterator<Item = &'a mut Line>) {
    let mut waiting = Waiting::default();
    let query = Query::new(Families::Both, StateSet::exactly(TcpState::SynSent));
    if dump(&query, None, &mut connect, &mut waiting).is_err() {
        return;
    }
    let lines: Vec<_> = lines.collect();
    let asked = |line: &Line| (line.change.family, line.change.local.addr, line.change.peer);
    let mut ports = Vec::with_capacity(lines.len());
    for line in &lines {
        let mut fitting = waiting.sockets.iter().filter(|socket| {
            (socket.family, socket.local.addr) == (line.change.family, line.change.local.addr)
                && (socket.peer.addr, socket.peer.port) == (line.change.peer.addr, line.change.peer.port)
        });
        // Of several that began at once it can't be told which is which.
        let alone = lines.iter().filter(|other| asked(other) == asked(line)).count() == 1;
        let port = fitting.next().map(|socket| socket.local.port);
        ports.push(port.filter(|_| alone && fitting.next().is_none()));
    }
    for (line, port) in lines.into_iter().zip(ports) {
        line.change.local.port = port.unwrap_or(line.change.local.port);
    }
}

#[derive(Default)]
struct Waiting {
    sockets: Vec<Socket>,
}

impl Sink for Waiting {
    fn begin(&mut self, _source: Source) -> bool {
        self.sockets.clear();
        true
    }

    fn row(&mut self, socket: &Socket) -> ControlFlow<()> {
        /// More than this are no picture for people.
        const ENOUGH: usize = 10_000;
        self.sockets.push(socket.clone());
        if self.sockets.len() < ENOUGH { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}
