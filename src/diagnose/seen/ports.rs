//! Local ports in the range that the kernel chooses from, by route and by source address.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::tally::{Tally, pids};
use crate::model::{Holder, Setting, Settings, Socket, TIME_WAIT_MS, TcpState, Timer};

/// The ports that the kernel may choose from.
#[derive(Clone, Debug)]
pub(in crate::diagnose) struct Choice {
    /// The range.
    pub(in crate::diagnose) range: RangeInclusive<u16>,
    /// Ports of the range that the kernel does not choose.
    pub(in crate::diagnose) reserved: BTreeSet<u16>,
    /// net.ipv4.tcp_tw_reuse: 0 never, 1 always, 2 within this host.
    pub(in crate::diagnose) reuse: u64,
    /// The age from which on a port in TIME_WAIT may be reused.
    pub(in crate::diagnose) reuse_delay_ms: u64,
    /// net.ipv4.tcp_timestamps: with 0 no port in TIME_WAIT is reused.
    pub(in crate::diagnose) timestamps: u64,
}

/// Whether a new connection may reuse the ports of a connection in TIME_WAIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::diagnose) enum Reuse {
    No,
    /// If the peer used timestamps, which can no longer be seen.
    IfPeerAgreed,
    /// The connection is within this host.
    Yes,
}

impl Choice {
    /// `None` if the range is unknown.
    pub(super) fn of(settings: &Settings) -> Option<Self> {
        let range = settings.local_ports()?;
        let listed = settings.reserved_ports().unwrap_or_default();
        let reserved = listed.into_iter().flatten().filter(|port| range.contains(port)).collect();
        Some(Self {
            range,
            reserved,
            reuse: settings.number(Setting::TwReuse).unwrap_or(0),
            reuse_delay_ms: settings.tw_reuse_delay_ms(),
            timestamps: settings.number(Setting::Timestamps).unwrap_or(1),
        })
    }

    /// How many ports the kernel may choose from.
    pub(in crate::diagnose) fn len(&self) -> u64 {
        let range = u64::from(self.range.end().saturating_sub(*self.range.start())) + 1;
        range.saturating_sub(self.reserved.len() as u64)
    }

    /// What `tcp_twsk_unique` of net/ipv4/tcp_ipv4.c allows on this route.
    pub(in crate::diagnose) fn reuses(&self, route: &Route) -> Reuse {
        let is_within = route.from.is_loopback() || route.to.is_loopback();
        match self.reuse {
            _ if self.timestamps == 0 => Reuse::No,
            0 => Reuse::No,
            _ if is_within => Reuse::Yes,
            2 => Reuse::No,
            _ => Reuse::IfPeerAgreed,
        }
    }
}

/// Source address, and destination address and port: each local port can be used once on a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::diagnose) struct Route {
    pub(in crate::diagnose) from: IpAddr,
    pub(in crate::diagnose) to: IpAddr,
    pub(in crate::diagnose) port: u16,
}

/// The local ports in use on a route.
#[derive(Clone, Debug, Default)]
pub(in crate::diagnose) struct Used {
    /// By connections.
    pub(in crate::diagnose) connections: u64,
    /// By TIME_WAIT.
    pub(in crate::diagnose) time_wait: u64,
    /// By TIME_WAIT that is old enough for tcp_tw_reuse.
    pub(in crate::diagnose) old_time_wait: u64,
    pub(in crate::diagnose) pids: Tally<Option<u32>>,
}

/// The local ports in use from one address, to any destination. A program that binds the address before it connects
/// gets none of them, and no other connection gets a port that such a program has bound.
#[derive(Clone, Debug, Default)]
pub(in crate::diagnose) struct SourceAddress {
    /// Without ports in TIME_WAIT that may be reused.
    pub(in crate::diagnose) ports: BTreeSet<u16>,
    pub(in crate::diagnose) pids: Tally<Option<u32>>,
}

/// All local ports in use.
#[derive(Debug, Default)]
pub(in crate::diagnose) struct Ports {
    /// The ports to choose from; `None` if unknown.
    pub(in crate::diagnose) choice: Option<Choice>,
    /// By route.
    pub(in crate::diagnose) routes: IndexMap<Route, Used, FxBuildHasher>,
    /// By source address.
    pub(in crate::diagnose) sources: FxHashMap<IpAddr, SourceAddress>,
    /// Ports of the range that a program listens on or has bound: the kernel chooses none of them for a connection.
    pub(in crate::diagnose) bound: BTreeSet<u16>,
}

impl Ports {
    pub(super) fn of(settings: &Settings) -> Self {
        Self { choice: Choice::of(settings), ..Self::default() }
    }

    /// Drops all sockets; the ports to choose from stay.
    pub(super) fn reset(&mut self) {
        self.routes.clear();
        self.sources.clear();
        self.bound.clear();
    }

    /// Adds a socket; returns the number of its route if a process of this host may hold it.
    pub(super) fn add(&mut self, socket: &Socket) -> Option<usize> {
        let choice = self.choice.as_ref()?;
        let port = socket.local.port;
        if !choice.range.contains(&port) {
            return None;
        }
        if !socket.has_peer() {
            if !choice.reserved.contains(&port) {
                self.bound.insert(port);
            }
            return None;
        }
        let route = Route {
            from: socket.local.addr.to_canonical(),
            to: socket.peer.addr.to_canonical(),
            port: socket.peer.port,
        };
        let entry = self.routes.entry(route);
        let number = entry.index();
        let used = entry.or_default();
        let mut is_old = false;
        match socket.timer {
            Some(Timer::TimeWait { expires_ms }) if socket.state == TcpState::TimeWait => {
                let age = u64::from(TIME_WAIT_MS.saturating_sub(expires_ms));
                is_old = age > choice.reuse_delay_ms;
                used.time_wait += 1;
                used.old_time_wait += u64::from(is_old);
            }
            _ => used.connections += 1,
        }
        let is_free_again = is_old && choice.reuses(&route) != Reuse::No;
        if !is_free_again && !choice.reserved.contains(&port) {
            self.sources.entry(route.from).or_default().ports.insert(port);
        }
        socket.inode.map(|_| number)
    }

    /// Counts the holders of a connection on this route.
    pub(super) fn held(&mut self, number: usize, holders: &[Holder]) {
        let Some((route, used)) = self.routes.get_index_mut(number) else { return };
        if let Some(source) = self.sources.get_mut(&route.from) {
            source.pids.add_all(pids(holders));
        }
        // A server may have as many routes as clients, with one connection each: those need no process counts.
        if used.connections + used.time_wait > 1 {
            used.pids.add_all(pids(holders));
        }
    }
}
