//! Looks up what the kernel's answer does not hold: who holds a socket, and names. Each look-up has its own file,
//! is made only when the plan needs it, and asks for each thing once.

mod cgroups;
mod hosts;
mod interfaces;
mod listeners;
mod processes;
mod services;
mod users;

pub use cgroups::{Cgroups, cgroup_id};
pub use hosts::host_addresses;
pub use interfaces::{Interfaces, device_index};
pub use listeners::Listeners;
pub use processes::Processes;
pub use services::{Services, ephemeral_ports};
pub use users::{Users, user_id};

use crate::model::{Gap, Row, Socket};

/// The look-ups of one listing. What is `None` is not looked up.
#[derive(Debug, Default)]
pub struct Enrichment {
    /// Device names; they are not asked for another proc tree.
    pub interfaces: Option<Interfaces>,
    /// The holders of sockets.
    pub processes: Option<Processes>,
    /// User names.
    pub users: Option<Users>,
    /// Service names.
    pub services: Option<Services>,
    /// cgroup paths.
    pub cgroups: Option<Cgroups>,
    /// The listeners of half-open connections.
    pub listeners: Option<Listeners>,
}

impl Enrichment {
    /// Takes note of a socket that may matter for a later one. Every socket passes here, shown or not.
    pub fn learn(&mut self, socket: &Socket) {
        if let Some(listeners) = &mut self.listeners {
            listeners.learn(socket);
        }
    }

    /// The sockets will come again.
    pub fn forget(&mut self) {
        if let Some(listeners) = &mut self.listeners {
            listeners.forget();
        }
    }

    /// The socket with all that was looked up for it.
    pub fn describe<'a>(&'a mut self, socket: &'a Socket) -> Row<'a> {
        if let Some(interfaces) = &mut self.interfaces {
            interfaces.look_up(socket.interface);
        }
        if let (Some(uid), Some(users)) = (self.shown_uid(socket), &mut self.users) {
            users.look_up(uid);
        }
        self.row(socket)
    }

    /// What could not be seen.
    pub fn gaps(&self) -> Vec<Gap> {
        self.processes.iter().flat_map(|processes| processes.gaps().iter().cloned()).collect()
    }

    /// The user to name. Where listeners stand in for half-open connections all is as in /proc, which says 0 where
    /// it does not know.
    fn shown_uid(&self, socket: &Socket) -> Option<u32> {
        let from_listener = self.listeners.as_ref().map(|listeners| listeners.uid(socket).unwrap_or(0));
        socket.uid.or(from_listener)
    }

    fn row<'a>(&'a self, socket: &'a Socket) -> Row<'a> {
        let processes = self.processes.as_ref();
        let service = |port| self.services.as_ref().and_then(|services| services.name(port));
        Row {
            holders: processes.map_or(&[], |processes| processes.holders(socket)),
            owner_note: processes.and_then(|processes| processes.note(socket)),
            user: self.users.as_ref().and_then(|users| users.name(self.shown_uid(socket)?)),
            interface: self.interfaces.as_ref().and_then(|interfaces| interfaces.name(socket.interface)),
            cgroup: self.cgroups.as_ref().and_then(|cgroups| cgroups.path(socket.cgroup?)),
            local_service: service(socket.local.port),
            peer_service: service(socket.peer.port),
            listener_uid: self.listeners.as_ref().and_then(|listeners| listeners.uid(socket)),
            ..Row::bare(socket)
        }
    }
}
