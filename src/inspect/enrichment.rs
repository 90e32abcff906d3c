//! Joins to each socket the facts that the kernel's answer lacks: the processes that hold it, and names. Each look-up
//! is made only if the question needs it.

use std::path::Path;
use std::time::Duration;

use rustc_hash::FxHashSet;

use super::listeners::Listeners;
use super::peers::{Other, Peers};
use crate::kernel::names::{Cgroups, Hosts, Interfaces, Services, Users};
use crate::kernel::process::Processes;
use crate::model::cgroup::Cgroup;
use crate::model::{Access, Gap, Holder, Needs, OwnerNote, Row, Socket, SourceChoice, TcpState};

/// The look-ups of one listing. `None`: not looked up.
#[derive(Debug, Default)]
pub(crate) struct Enrichment {
    /// What must be known.
    needs: Needs,
    /// Device names; `None` with another proc tree, whose devices may not be this host's.
    pub interfaces: Option<Interfaces>,
    /// The holders of sockets.
    pub processes: Option<Processes>,
    /// User names.
    pub users: Option<Users>,
    /// Service names.
    pub services: Option<Services>,
    /// Host names.
    pub hosts: Option<Hosts>,
    /// cgroup paths.
    pub cgroups: Option<Cgroups>,
    /// The listeners to which connections belong that no program has accepted yet.
    pub listeners: Option<Listeners>,
    /// The other ends of connections within this host.
    pub peers: Option<Peers>,
    /// The listeners read before all other sockets.
    pub all_listeners: Option<Listeners>,
}

impl Enrichment {
    /// The look-ups that are needed. Holders are looked up later, when all sockets have been read.
    pub(super) fn new(needs: Needs, access: &Access) -> Self {
        Self {
            needs,
            interfaces: access.proc_root.is_none().then(Interfaces::default),
            processes: None,
            hosts: None,
            users: needs.contains(Needs::USERS).then(Users::default),
            services: needs.contains(Needs::SERVICES).then(Services::of_host),
            cgroups: needs.contains(Needs::CGROUPS).then(|| match &access.proc_root {
                Some(_) => Cgroups::of_processes(),
                None => Cgroups::of_host(),
            }),
            listeners: needs
                .has_any_of(Needs::LISTENER_HOLDERS | Needs::LISTENER_USERS)
                .then(Listeners::default),
            peers: needs.contains(Needs::PEERS).then(Peers::default),
            all_listeners: needs.contains(Needs::DIRECTION).then(Listeners::default),
        }
    }

    /// The look-ups whose results a filter can use now.
    pub(super) fn known(&self) -> Needs {
        let by_holders = self.processes.is_some();
        Needs::NOTES.when(by_holders)
            | Needs::PEERS.when(by_holders && self.peers.is_some())
            | Needs::CGROUPS.when(self.cgroups.is_some())
            | Needs::DIRECTION.when(self.all_listeners.is_some())
    }

    /// Whether the kernel's answer alone gives each socket's cgroup, if cgroups are needed. Otherwise a socket's
    /// cgroup comes from its holders, which are scanned after all sockets have been read.
    pub(super) fn cgroups_suffice(&self, needs: Needs, access: &Access) -> bool {
        let is_told = access.source != SourceChoice::Procfs && access.proc_root.is_none();
        self.cgroups.as_ref().is_none_or(|cgroups| is_told && cgroups.suffice(needs.contains(Needs::UNITS)))
    }

    /// The facts to read about processes that hold sockets; `None` if no process need be scanned.
    pub(super) fn wanted(&self, needs: Needs, access: &Access) -> Option<Needs> {
        let cgroups = Needs::CGROUPS.when(!self.cgroups_suffice(needs, access));
        let is_wanted = needs.contains(Needs::HOLDERS) || cgroups != Needs::NOTHING;
        is_wanted.then_some((needs - Needs::CGROUPS) | cgroups)
    }

    /// Scans the processes for holders of the sockets with these inodes, if anything is `wanted`.
    pub(super) fn find_holders(
        &mut self,
        inodes: FxHashSet<u64>,
        wanted: Option<Needs>,
        access: &Access,
        patience: Option<Duration>,
    ) {
        let root = access.proc_root.as_deref().unwrap_or(Path::new("/proc"));
        self.processes = wanted.map(|wanted| Processes::scan(root, inodes, wanted, patience));
    }

    /// Remembers a socket that may be a later socket's listener or peer. Called for every socket, shown or not.
    pub(crate) fn learn(&mut self, socket: &Socket) {
        if let Some(listeners) = &mut self.listeners {
            listeners.learn(socket);
        }
        if let Some(peers) = &mut self.peers {
            peers.learn(socket);
        }
    }

    /// Forgets the remembered sockets: the source starts its list again.
    pub(crate) fn forget(&mut self) {
        if let Some(listeners) = &mut self.listeners {
            listeners.forget();
        }
        if let Some(peers) = &mut self.peers {
            peers.forget();
        }
    }

    /// Looks up the device and user names for this socket's row.
    pub(super) fn look_up(&mut self, socket: &Socket) {
        if let Some(interfaces) = &mut self.interfaces {
            interfaces.look_up(socket.interface);
        }
        if let (Some(uid), Some(users)) = (self.shown_uid(socket), &mut self.users) {
            users.look_up(uid);
        }
    }

    /// What could not be seen.
    pub(crate) fn gaps(&self) -> Vec<Gap> {
        self.processes.iter().flat_map(|processes| processes.gaps().iter().cloned()).collect()
    }

    /// The user to show. If listeners' users are asked for, an unknown user is 0, as in /proc.
    fn shown_uid(&self, socket: &Socket) -> Option<u32> {
        let as_in_proc = self.needs.contains(Needs::LISTENER_USERS);
        socket.uid.or_else(|| as_in_proc.then(|| self.user_of_listener(socket).unwrap_or(0)))
    }

    /// The user of a half-open connection's listener, if listeners' users are looked up.
    fn user_of_listener(&self, socket: &Socket) -> Option<u32> {
        let is_asked = self.needs.contains(Needs::LISTENER_USERS);
        if !is_asked || socket.state.shown() != TcpState::SynRecv {
            return None;
        }
        self.listeners.as_ref()?.of(socket)?.uid
    }

    /// The inode by which a socket's holders are found: its own, or its listener's while it waits for accept().
    pub(crate) fn owned_by(&self, socket: &Socket) -> Option<u64> {
        if self.is_held_by_listener(socket) {
            return self.listeners.as_ref()?.of_waiting(socket)?.inode;
        }
        socket.inode
    }

    /// Whether the socket takes its listener's holders; the listener may be read after the socket.
    pub(super) fn is_held_by_listener(&self, socket: &Socket) -> bool {
        self.needs.contains(Needs::LISTENER_HOLDERS) && OwnerNote::of(socket) == Some(OwnerNote::NotAccepted)
    }

    /// Who holds the socket with this inode.
    pub(crate) fn holders_of(&self, inode: Option<u64>) -> &[Holder] {
        self.processes.as_ref().map_or(&[], |processes| processes.holders(inode))
    }

    fn holders(&self, socket: &Socket) -> &[Holder] {
        if self.processes.is_none() { &[] } else { self.holders_of(self.owned_by(socket)) }
    }

    /// Whether a socket's cgroup can only be found through its holders.
    pub(crate) fn needs_holder(&self, socket: &Socket) -> bool {
        self.cgroups.as_ref().is_some_and(|cgroups| cgroups.needs_holder(socket))
    }

    fn cgroup(&self, socket: &Socket) -> Cgroup<'_> {
        let Some(cgroups) = &self.cgroups else { return Cgroup::default() };
        let belongs = socket.inode.is_some() || OwnerNote::of(socket) == Some(OwnerNote::NotAccepted);
        let paths = self.holders(socket).iter().filter_map(|holder| holder.process.cgroup.as_deref());
        cgroups.of(socket, belongs, paths)
    }

    /// The inode by which the peer socket's holders are found, if the peer is on this host; and whether that inode is
    /// the peer's listener's.
    fn peer_end(&self, socket: &Socket) -> (Option<u64>, bool) {
        match self.peers.as_ref().and_then(|peers| peers.of(socket)) {
            Some(Other::Held(inode)) => (Some(*inode), false),
            Some(Other::Waiting(end)) => (self.owned_by(end), true),
            None => (None, false),
        }
    }

    /// The inode by which the peer socket's holders are found.
    pub(crate) fn peer_owned_by(&self, socket: &Socket) -> Option<u64> {
        self.peer_end(socket).0
    }

    /// The socket with the results of its look-ups.
    pub(super) fn row<'a>(&'a self, socket: &'a Socket) -> Row<'a> {
        let host = |addr| self.hosts.as_ref().and_then(|hosts| hosts.name(addr));
        let (peer_inode, peer_waits) = self.peer_end(socket);
        let service = |port| self.services.as_ref().and_then(|services| services.name(port));
        Row {
            holders: self.holders(socket),
            peer_holders: self.holders_of(peer_inode),
            peer_waits,
            owner_note: self.processes.as_ref().and_then(|processes| processes.note(socket)),
            user: self.users.as_ref().and_then(|users| users.name(self.shown_uid(socket)?)),
            interface: self.interfaces.as_ref().and_then(|interfaces| interfaces.name(socket.interface)),
            cgroup: self.cgroup(socket),
            local_host: host(socket.local.addr),
            peer_host: host(socket.peer.addr),
            local_service: service(socket.local.port),
            peer_service: service(socket.peer.port),
            listener_uid: self.user_of_listener(socket),
            direction: self.all_listeners.as_ref().and_then(|listeners| listeners.direction(socket)),
            ..Row::bare(socket)
        }
    }
}
