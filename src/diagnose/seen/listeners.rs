//! Listeners and their half-open connections.

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::tally::{Tally, pids};
use crate::diagnose::values::Net;
use crate::model::{Endpoint, Family, Holder, Queues, Socket};
use crate::tally::net_of;

/// Where connections arrive: a family, an address and a port.
type Place = (Family, Endpoint);

/// The listeners at one place: several if they share it (SO_REUSEPORT).
#[derive(Clone, Debug, Default)]
pub(in crate::diagnose) struct Listening {
    /// How many listeners.
    pub(in crate::diagnose) sockets: u64,
    /// How many have a full queue.
    pub(in crate::diagnose) full: u64,
    /// The waiting connections and the backlog of the listener whose queue is filled most.
    pub(in crate::diagnose) fullest: Option<(u32, u32)>,
    /// The sum of the backlogs.
    pub(in crate::diagnose) backlog: Option<u64>,
    /// Whether all of them accept IPv6 only; `None` if unknown.
    pub(in crate::diagnose) v6only: Option<bool>,
    pub(in crate::diagnose) pids: Tally<Option<u32>>,
}

/// Half-open connections at one place.
#[derive(Clone, Debug, Default)]
pub(in crate::diagnose) struct HalfOpen {
    pub(in crate::diagnose) count: u64,
    /// The nets that they come from.
    pub(in crate::diagnose) nets: Tally<Net>,
}

/// All listeners and half-open connections, by place.
#[derive(Debug, Default)]
pub(in crate::diagnose) struct Listeners {
    pub(in crate::diagnose) places: IndexMap<Place, Listening, FxBuildHasher>,
    /// Listeners whose backlog is unknown.
    pub(in crate::diagnose) without_backlog: u64,
    half_open: FxHashMap<Place, HalfOpen>,
}

impl Listening {
    /// How many connections fit into the queue: one more than the backlog.
    pub(in crate::diagnose) fn room(backlog: u32) -> u64 {
        u64::from(backlog) + 1
    }

    /// Adds a listener. If one listener of the place accepts IPv4, the place accepts IPv4.
    fn listens(&mut self, v6only: Option<bool>) {
        self.v6only = match (self.sockets, self.v6only, v6only) {
            (0, _, first) => first,
            (_, Some(false), _) | (_, _, Some(false)) => Some(false),
            (_, Some(true), Some(true)) => Some(true),
            _ => None,
        };
        self.sockets += 1;
    }

    fn add(&mut self, pending: u32, backlog: u32) {
        self.full += u64::from(u64::from(pending) >= Self::room(backlog));
        *self.backlog.get_or_insert(0) += u64::from(backlog);
        let fill = |(pending, backlog): (u32, u32)| {
            u128::from(pending) * (1 << 64) / u128::from(Self::room(backlog))
        };
        if self.fullest.is_none_or(|fullest| fill(fullest) < fill((pending, backlog))) {
            self.fullest = Some((pending, backlog));
        }
    }
}

impl Listeners {
    /// Adds a listener and returns the number of its place.
    pub(super) fn listen(&mut self, socket: &Socket) -> usize {
        let entry = self.places.entry((socket.family, socket.local));
        let number = entry.index();
        let listening = entry.or_default();
        listening.listens(socket.v6only);
        match socket.queues {
            Queues::Accept { pending, backlog: Some(backlog) } => listening.add(pending, backlog),
            _ => self.without_backlog += 1,
        }
        number
    }

    pub(super) fn held(&mut self, number: usize, holders: &[Holder]) {
        let Some((_, listening)) = self.places.get_index_mut(number) else { return };
        listening.pids.add_all(pids(holders));
    }

    pub(super) fn half_open(&mut self, socket: &Socket) {
        /// Prefix lengths (IPv4, IPv6): about what one customer of a network has.
        const LENGTHS: (u8, u8) = (24, 48);
        let half_open = self.half_open.entry((socket.family, socket.local)).or_default();
        half_open.count += 1;
        let addr = socket.peer.addr.to_canonical();
        let len = if addr.is_ipv4() { LENGTHS.0 } else { LENGTHS.1 };
        half_open.nets.add(Net { addr: net_of(addr, len), len });
    }

    /// How many places on all IPv6 addresses may or may not accept IPv4 too.
    pub(in crate::diagnose) fn of_unknown_family(&self) -> u64 {
        let is_unknown = |(place, listening): &(&Place, &Listening)| {
            place.0 == Family::Inet6 && place.1.addr.is_unspecified() && listening.v6only.is_none()
        };
        self.places.iter().filter(is_unknown).count() as u64
    }

    /// Half-open connections by their listener: the listener on exactly their address, or else on all addresses.
    pub(in crate::diagnose) fn half_open_by_listener(&self) -> Vec<(Endpoint, HalfOpen, Option<&Listening>)> {
        let mut by_listener = IndexMap::<Place, HalfOpen, FxBuildHasher>::default();
        for (place, half_open) in &self.half_open {
            let (sum, new) = (by_listener.entry(self.listener_of(place)).or_default(), half_open);
            sum.count += new.count;
            sum.nets.merge(&new.nets);
        }
        let mut all: Vec<_> = by_listener
            .into_iter()
            .map(|(place, half_open)| (place.1, half_open, self.places.get(&place)))
            .collect();
        all.sort_by_key(|(end, half_open, _)| (std::cmp::Reverse(half_open.count), end.port, end.addr));
        all
    }

    /// The place of the listener; the place itself if nothing listens there any more.
    fn listener_of(&self, place: &Place) -> Place {
        let (family, local) = *place;
        let wildcard = Endpoint { port: local.port, ..Endpoint::unspecified(family) };
        let ends = [local, wildcard].map(|end| (family, end));
        ends.into_iter().find(|place| self.places.contains_key(place)).unwrap_or(*place)
    }
}
