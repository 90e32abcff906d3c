//! Local ports that the kernel chose, by where they lead.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::tally::{Tally, pids};
use crate::model::{Holder, Setting, Settings, Socket, TIME_WAIT_MS, TcpState, Timer};

/// What the kernel may choose from.
#[derive(Clone, Debug)]
pub(in crate::diagnose) struct Choice {
    /// The range.
    pub(in crate::diagnose) range: RangeInclusive<u16>,
    /// Those of it that it leaves alone.
    pub(in crate::diagnose) reserved: BTreeSet<u16>,
    /// 0 never, 1 always, 2 within this host.
    pub(in crate::diagnose) reuse: u64,
    /// How old a time-wait socket must be for that.
    pub(in crate::diagnose) reuse_delay_ms: u64,
    /// Without these there is no such use: 0 where connections have none.
    pub(in crate::diagnose) timestamps: u64,
}

/// Whether a new connection may take the ports of one in TIME_WAIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::diagnose) enum Reuse {
    No,
    /// Where the peer used timestamps, which is not to be seen any more.
    IfPeerAgreed,
    /// Both ends are this host's.
    Yes,
}

impl Choice {
    /// `None` where the range is not known.
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

    /// How many ports there are to choose from.
    pub(in crate::diagnose) fn len(&self) -> u64 {
        let range = u64::from(self.range.end().saturating_sub(*self.range.start())) + 1;
        range.saturating_sub(self.reserved.len() as u64)
    }

    /// What `tcp_twsk_unique` of net/ipv4/tcp_ipv4.c allows between these ends.
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

/// Where a connection leads: each port of this host can be used once on it.
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
    /// By those of these that are old enough for tcp_tw_reuse.
    pub(in crate::diagnose) old_time_wait: u64,
    pub(in crate::diagnose) pids: Tally<Option<u32>>,
}

/// The local ports in use from one address, wherever they lead: a program that binds the address before it connects
/// gets none of them, and what such a program has bound no other connection gets.
#[derive(Clone, Debug, Default)]
pub(in crate::diagnose) struct SourceAddress {
    /// Less those in TIME_WAIT that may be used again.
    pub(in crate::diagnose) ports: BTreeSet<u16>,
    pub(in crate::diagnose) pids: Tally<Option<u32>>,
}

/// All that are in use.
#[derive(Debug, Default)]
pub(in crate::diagnose) struct Ports {
    /// What is chosen from, where that is known.
    pub(in crate::diagnose) choice: Option<Choice>,
    /// By route.
    pub(in crate::diagnose) routes: IndexMap<Route, Used, FxBuildHasher>,
    /// By source address.
    pub(in crate::diagnose) sources: FxHashMap<IpAddr, SourceAddress>,
    /// Ports of the range that somebody listens on or has bound: no connection gets one of these by itself.
    pub(in crate::diagnose) bound: BTreeSet<u16>,
}

impl Ports {
    pub(super) fn of(settings: &Settings) -> Self {
        Self { choice: Choice::of(settings), ..Self::default() }
    }

    /// Begins anew.
    pub(super) fn reset(&mut self) {
        self.routes.clear();
        self.sources.clear();
        self.bound.clear();
    }

    /// Takes a socket in; the number of its route, where a process of this host may be on it.
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

    /// Who holds a connection on this route.
    pub(super) fn held(&mut self, number: usize, holders: &[Holder]) {
        let Some((route, used)) = self.routes.get_index_mut(number) else { return };
        if let Some(source) = self.sources.get_mut(&route.from) {
            source.pids.add_all(pids(holders));
        }
        // A server may have as many routes as clients, with one connection on each.
        if used.connections + used.time_wait > 1 {
            used.pids.add_all(pids(holders));
        }
    }
}
