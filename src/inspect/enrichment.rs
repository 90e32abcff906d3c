//! What the kernel's answer does not hold, joined to each socket: who holds it, and names. Each look-up is made only when
//! the plan needs it.

use std::path::Path;

use rustc_hash::FxHashSet;

use super::listeners::Listeners;
use super::peers::{Other, Peers};
use crate::kernel::names::{Cgroups, Hosts, Interfaces, Services, Users};
use crate::kernel::process::Processes;
use crate::model::cgroup::Cgroup;
use crate::model::{Access, Gap, Holder, Needs, OwnerNote, Row, Socket, SourceChoice, TcpState};

/// The look-ups of one listing. What is `None` is not looked up.
#[derive(Debug, Default)]
pub(crate) struct Enrichment {
    /// What must be known.
    needs: Needs,
    /// Device names; they are not asked for another proc tree.
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
    /// The listeners of connections that are not accepted.
    pub listeners: Option<Listeners>,
    /// The other ends of connections within this host.
    pub peers: Option<Peers>,
    /// The listeners that were there before the sockets came.
    pub all_listeners: Option<Listeners>,
}

impl Enrichment {
    /// The look-ups that are needed; holders come later, when the sockets are known.
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

    /// What a filter may count on.
    pub(super) fn known(&self) -> Needs {
        let by_holders = self.processes.is_some();
        Needs::NOTES.when(by_holders)
            | Needs::PEERS.when(by_holders && self.peers.is_some())
            | Needs::CGROUPS.when(self.cgroups.is_some())
            | Needs::DIRECTION.when(self.all_listeners.is_some())
    }

    /// Whether what the kernel tells of a socket is enough to know its cgroup, where that is needed. Else the processes
    /// must be known that hold it, and so all sockets must have come.
    pub(super) fn cgroups_suffice(&self, needs: Needs, access: &Access) -> bool {
        let is_told = access.source != SourceChoice::Procfs && access.proc_root.is_none();
        self.cgroups.as_ref().is_none_or(|cgroups| is_told && cgroups.suffice(needs.contains(Needs::UNITS)))
    }

    /// What is read of the processes that hold sockets; `None` where they need not be known.
    pub(super) fn wanted(&self, needs: Needs, access: &Access) -> Option<Needs> {
        let cgroups = Needs::CGROUPS.when(!self.cgroups_suffice(needs, access));
        let is_wanted = needs.contains(Needs::HOLDERS) || cgroups != Needs::NOTHING;
        is_wanted.then_some((needs - Needs::CGROUPS) | cgroups)
    }

    /// Looks for the holders of the sockets with these inodes, if they must be known.
    pub(super) fn find_holders(&mut self, inodes: FxHashSet<u64>, wanted: Option<Needs>, access: &Access) {
        let root = access.proc_root.as_deref().unwrap_or(Path::new("/proc"));
        self.processes = wanted.map(|wanted| Processes::scan(root, inodes, wanted));
    }

    /// Takes note of a socket that may matter for a later one. Every socket passes here, shown or not.
    pub(crate) fn learn(&mut self, socket: &Socket) {
        if let Some(listeners) = &mut self.listeners {
            listeners.learn(socket);
        }
        if let Some(peers) = &mut self.peers {
            peers.learn(socket);
        }
    }

    /// The sockets will come again.
    pub(crate) fn forget(&mut self) {
        if let Some(listeners) = &mut self.listeners {
            listeners.forget();
        }
        if let Some(peers) = &mut self.peers {
            peers.forget();
        }
    }

    /// Looks up the names that its row has.
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

    /// The user to name: with the listeners' users all is as in /proc, which says 0 where it does not know.
    fn shown_uid(&self, socket: &Socket) -> Option<u32> {
        let as_in_proc = self.needs.contains(Needs::LISTENER_USERS);
        socket.uid.or_else(|| as_in_proc.then(|| self.user_of_listener(socket).unwrap_or(0)))
    }

    /// The user of the listener of a half-open connection, where that is looked up.
    fn user_of_listener(&self, socket: &Socket) -> Option<u32> {
        let is_asked = self.needs.contains(Needs::LISTENER_USERS);
        if !is_asked || socket.state.shown() != TcpState::SynRecv {
            return None;
        }
        self.listeners.as_ref()?.of(socket)?.uid
    }

    /// The inode by which the holders of a socket are found: its own, or its listener's where it waits to be accepted.
    pub(crate) fn owned_by(&self, socket: &Socket) -> Option<u64> {
        if self.is_held_by_listener(socket) {
            return self.listeners.as_ref()?.of_waiting(socket)?.inode;
        }
        socket.inode
    }

    /// Whether its holders are its listener's, which may come after it.
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

    /// Whether the processes must be known that hold a socket, to know its cgroup.
    pub(crate) fn needs_holder(&self, socket: &Socket) -> bool {
        self.cgroups.as_ref().is_some_and(|cgroups| cgroups.needs_holder(socket))
    }

    fn cgroup(&self, socket: &Socket) -> Cgroup<'_> {
        let Some(cgroups) = &self.cgroups else { return Cgroup::default() };
        let belongs = socket.inode.is_some() || OwnerNote::of(socket) == Some(OwnerNote::NotAccepted);
        let paths = self.holders(socket).iter().filter_map(|holder| holder.process.cgroup.as_deref());
        cgroups.of(socket, belongs, paths)
    }

    /// The inode by which the holders of the other end are found, if that is on this host; and whether it is its
    /// listener's.
    fn peer_end(&self, socket: &Socket) -> (Option<u64>, bool) {
        match self.peers.as_ref().and_then(|peers| peers.of(socket)) {
            Some(Other::Held(inode)) => (Some(*inode), false),
            Some(Other::Waiting(end)) => (self.owned_by(end), true),
            None => (None, false),
        }
    }

    /// The inode by which the holders of the other end are found.
    pub(crate) fn peer_owned_by(&self, socket: &Socket) -> Option<u64> {
        self.peer_end(socket).0
    }

    /// The socket with all that was looked up for it.
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
