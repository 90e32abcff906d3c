//! Local ports that the kernel chose, by where they lead.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

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
        })
    }

    /// Whether a new connection may take the ports of one in TIME_WAIT between these ends, if both use timestamps
    /// (`tcp_twsk_unique` of net/ipv4/tcp_ipv4.c).
    pub(in crate::diagnose) fn reuses(&self, way: &Way) -> bool {
        match self.reuse {
            0 => false,
            2 => way.from.is_loopback() || way.to.is_loopback(),
            _ => true,
        }
    }
}

/// Where a connection leads: each port of this host can be used once on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::diagnose) struct Way {
    pub(in crate::diagnose) from: IpAddr,
    pub(in crate::diagnose) to: IpAddr,
    pub(in crate::diagnose) port: u16,
}

/// The local ports in use on a way.
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

/// All that are in use.
#[derive(Debug, Default)]
pub(in crate::diagnose) struct Ports {
    /// What is chosen from, where that is known.
    pub(in crate::diagnose) choice: Option<Choice>,
    /// By way.
    pub(in crate::diagnose) ways: IndexMap<Way, Used, FxBuildHasher>,
    /// Ports of the range that somebody listens on or has bound: no connection gets one of these by itself.
    pub(in crate::diagnose) bound: BTreeSet<u16>,
}

impl Ports {
    pub(super) fn of(settings: &Settings) -> Self {
        Self { choice: Choice::of(settings), ..Self::default() }
    }

    /// Begins anew.
    pub(super) fn reset(&mut self) {
        self.ways.clear();
        self.bound.clear();
    }

    /// Takes a socket in; the number of its way, where a process of this host may be on it.
    pub(super) fn add(&mut self, socket: &Socket) -> Option<usize> {
        let choice = self.choice.as_ref()?;
        let port = socket.local.port;
        if !choice.range.contains(&port) {
            return None;
        }
        if socket.peer.is_unspecified() {
            if !choice.reserved.contains(&port) {
                self.bound.insert(port);
            }
            return None;
        }
        let way = Way {
            from: socket.local.addr.to_canonical(),
            to: socket.peer.addr.to_canonical(),
            port: socket.peer.port,
        };
        let entry = self.ways.entry(way);
        let number = entry.index();
        let used = entry.or_default();
        match socket.timer {
            Some(Timer::TimeWait { expires_ms }) if socket.state == TcpState::TimeWait => {
                let age = u64::from(TIME_WAIT_MS.saturating_sub(expires_ms));
                used.time_wait += 1;
                used.old_time_wait += u64::from(age > choice.reuse_delay_ms);
            }
            _ => used.connections += 1,
        }
        socket.inode.map(|_| number)
    }

    /// Who holds a connection on this way.
    pub(super) fn held(&mut self, number: usize, holders: &[Holder]) {
        let Some((_, used)) = self.ways.get_index_mut(number) else { return };
        // A server may have as many ways as clients, with one connection on each.
        if used.connections + used.time_wait > 1 {
            used.pids.add_all(pids(holders));
        }
    }
}
