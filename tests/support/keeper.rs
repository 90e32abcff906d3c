//! Brings the zoo's sockets into their states, and notes what each of them is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsFd as _, OwnedFd};

use rustix::net::sockopt::set_ipv6_v6only;
use rustix::net::{SendFlags, Shutdown, SocketFlags, accept_with, bind, listen, send, shutdown};

use super::peer::{OUR_LINK_LOCAL, OUR_V4, OUR_V6, Peer, Script};
use super::plans::{BYTES_UNACKNOWLEDGED, MAPPED_PLAN, PLANS, Plan, Then};
use super::proc_table::{await_all, await_state};
use super::sockets::{bound_socket, connect_to, device_index, done, inode, socket};
use super::zoo::{Family, Specimen};

/// The backlog of listeners whose queue is not of interest.
const BACKLOG: u32 = 16;
/// The backlog of the listeners with a full queue, which takes one more.
const SHORT_BACKLOG: u32 = 1;

/// The first ports of the families. Those of listeners follow at 100, those of
/// clients over loopback at 200.
const V4_PORTS: u16 = 8000;
const V6_PORTS: u16 = 9000;

/// The peer's first port for connections it opens, and the one for those which
/// it leaves half-open.
const OPEN_FROM: u16 = 7100;
const HALF_OPEN_FROM: u16 = 7200;

/// The specimens, and the descriptors which hold them in their states. Runs
/// inside the namespace, and returns when the kernel shows them all.
pub(crate) fn collect(peer: &Peer) -> (Vec<Specimen>, Vec<OwnedFd>) {
    let mut keeper = Keeper { peer, specimens: Vec::new(), held: Vec::new() };
    keeper.collect();
    await_all(&keeper.specimens);
    (keeper.specimens, keeper.held)
}

/// Collects the specimens.
struct Keeper<'a> {
    peer: &'a Peer,
    specimens: Vec<Specimen>,
    held: Vec<OwnedFd>,
}

impl Keeper<'_> {
    fn collect(&mut self) {
        self.collect_family(OUR_V4.into(), Ipv4Addr::LOCALHOST.into(), V4_PORTS);
        self.collect_family(OUR_V6.into(), Ipv6Addr::LOCALHOST.into(), V6_PORTS);
        self.collect_wildcards();
        self.collect_mapped();
        self.collect_link_local();
    }

    /// What there is of both families alike.
    fn collect_family(&mut self, ours: IpAddr, loopback: IpAddr, ports: u16) {
        for plan in &PLANS {
            self.connect(plan, SocketAddr::new(ours, ports + plan.port));
        }
        self.bind_only(SocketAddr::new(ours, ports + 20));
        let plain = SocketAddr::new(ours, ports + 100);
        self.listen("listen", plain, BACKLOG, 0);
        self.half_open("syn_recv", plain);
        self.full_queue(SocketAddr::new(ours, ports + 101));
        self.loopback_pair(loopback, ports + 102);
    }

    fn collect_wildcards(&mut self) {
        let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, V4_PORTS + 110));
        self.listen("v4 wildcard listener", v4, BACKLOG, 0);
        let v6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, V6_PORTS + 110));
        self.listen("v6only wildcard listener", v6, BACKLOG, 0);
    }

    /// IPv4 connections of IPv6 sockets.
    fn collect_mapped(&mut self) {
        let ours = OUR_V4.to_ipv6_mapped();
        let wildcard = SocketAddr::from((Ipv6Addr::UNSPECIFIED, V6_PORTS + 120));
        let listener = self.listen_with("dual-stack listener", wildcard, BACKLOG, 0, false);
        let local = SocketAddr::from((ours, wildcard.port()));
        self.called("v4-mapped accepted", &listener, local);
        self.half_open("v4-mapped syn_recv", local);
        self.held.push(listener);
        let plan = &MAPPED_PLAN;
        self.connect(plan, SocketAddr::from((ours, V6_PORTS + plan.port)));
    }

    fn collect_link_local(&mut self) {
        let scope = device_index();
        let local = SocketAddrV6::new(OUR_LINK_LOCAL, V6_PORTS + 130, 0, scope).into();
        let listener = self.listen_with("link-local listener", local, BACKLOG, 0, true);
        self.called("link-local accepted", &listener, local);
        self.held.push(listener);
    }

    /// A connection to the peer's port for the plan's script.
    fn connect(&mut self, plan: &Plan, local: SocketAddr) {
        let label = plan.label;
        let peer = Peer::address_facing(local, plan.script.port());
        let fd = bound_socket(label, local);
        connect_to(label, &fd, peer);
        await_state(label, local, peer, plan.state_before());
        let left = treat(plan, fd, local, peer);
        self.specimens.push(Specimen {
            label,
            state: plan.state,
            family: Family::of(local),
            local,
            peer: Some(peer),
            inode: left.as_ref().map(|fd| inode(fd.as_fd())),
            recv_q: plan.recv_q,
            send_q: plan.send_q,
        });
        self.held.extend(left);
    }

    /// Bound, and neither listening nor connected: in no table but the one of
    /// the ports.
    fn bind_only(&mut self, local: SocketAddr) {
        let label = "bound";
        let fd = bound_socket(label, local);
        self.specimens.push(Specimen {
            label,
            state: "CLOSED",
            family: Family::of(local),
            local,
            peer: None,
            inode: Some(inode(fd.as_fd())),
            recv_q: 0,
            send_q: 0,
        });
        self.held.push(fd);
    }

    /// A listener whose program does not accept.
    fn listen(&mut self, label: &'static str, local: SocketAddr, backlog: u32, waiting: u32) {
        let listener = self.listen_with(label, local, backlog, waiting, true);
        self.held.push(listener);
    }

    /// A listener on which `waiting` connections are going to be waiting.
    fn listen_with(
        &mut self,
        label: &'static str,
        local: SocketAddr,
        backlog: u32,
        waiting: u32,
        v6only: bool,
    ) -> OwnedFd {
        let fd = socket(label, local);
        if local.is_ipv6() {
            done(label, "set IPV6_V6ONLY", set_ipv6_v6only(&fd, v6only));
        }
        done(label, "bind", bind(&fd, &local));
        done(label, "listen", listen(&fd, backlog.cast_signed()));
        self.specimens.push(Specimen {
            label,
            state: "LISTEN",
            family: Family::of(local),
            local,
            peer: None,
            inode: Some(inode(fd.as_fd())),
            recv_q: waiting,
            send_q: backlog,
        });
        fd
    }

    /// Has the peer send a SYN to the listener at `local`, and no more.
    fn half_open(&mut self, label: &'static str, local: SocketAddr) {
        let peer = Peer::address_facing(local, HALF_OPEN_FROM);
        self.peer.open(HALF_OPEN_FROM, local, Script::Silent);
        await_state(label, local, peer, "SYN_RECV");
        self.push_unheld(label, "SYN_RECV", local, peer);
    }

    /// A listener with as many connections as it takes, none of them accepted.
    fn full_queue(&mut self, local: SocketAddr) {
        let waiting = SHORT_BACKLOG + 1;
        self.listen("full accept queue", local, SHORT_BACKLOG, waiting);
        let label = "not yet accepted";
        for port in (OPEN_FROM..).take(waiting as usize) {
            // One after the other, as there is no place for a second SYN until
            // the first connection is established.
            let peer = self.opened(label, local, port);
            self.push_unheld(label, "ESTABLISHED", local, peer);
        }
    }

    /// A connection of the peer's to `listener`, accepted, with its end there
    /// at `local`.
    fn called(&mut self, label: &'static str, listener: &OwnedFd, local: SocketAddr) {
        let peer = self.opened(label, local, OPEN_FROM);
        self.push_accepted(label, listener, local, peer);
    }

    /// Has the peer connect to the listener at `local` from its port, and
    /// returns its address once the connection is established.
    fn opened(&self, label: &str, local: SocketAddr, port: u16) -> SocketAddr {
        let peer = Peer::address_facing(local, port);
        self.peer.open(port, local, Script::Accept);
        await_state(label, local, peer, "ESTABLISHED");
        peer
    }

    /// A listener and both ends of a connection on `loopback`.
    fn loopback_pair(&mut self, loopback: IpAddr, port: u16) {
        let local = SocketAddr::new(loopback, port);
        let client_local = SocketAddr::new(loopback, port + 100);
        let listener = self.listen_with("loopback listener", local, BACKLOG, 0, true);
        let label = "loopback client";
        let client = bound_socket(label, client_local);
        connect_to(label, &client, local);
        await_state(label, client_local, local, "ESTABLISHED");
        self.push_held(label, &client, client_local, local);
        // The listener's end may still be half-open.
        await_state("loopback server", local, client_local, "ESTABLISHED");
        self.push_accepted("loopback server", &listener, local, client_local);
        self.held.extend([listener, client]);
    }

    fn push_accepted(
        &mut self,
        label: &'static str,
        listener: &OwnedFd,
        local: SocketAddr,
        peer: SocketAddr,
    ) {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let fd = done(label, "accept", accept_with(listener, flags));
        self.push_held(label, &fd, local, peer);
        self.held.push(fd);
    }

    /// An established connection, with a descriptor.
    fn push_held(&mut self, label: &'static str, fd: &OwnedFd, local: SocketAddr, peer: SocketAddr) {
        self.push_unheld(label, "ESTABLISHED", local, peer);
        let specimen = self.specimens.last_mut().expect("just pushed");
        specimen.inode = Some(inode(fd.as_fd()));
    }

    /// A connection which has no descriptor yet.
    fn push_unheld(&mut self, label: &'static str, state: &'static str, local: SocketAddr, peer: SocketAddr) {
        self.specimens.push(Specimen {
            label,
            state,
            family: Family::of(local),
            local,
            peer: Some(peer),
            inode: None,
            recv_q: 0,
            send_q: 0,
        });
    }
}

/// Does to the connection what the plan says. Returns the descriptor, if there
/// is to be one.
fn treat(plan: &Plan, fd: OwnedFd, local: SocketAddr, peer: SocketAddr) -> Option<OwnedFd> {
    let label = plan.label;
    let shut = || done(label, "shutdown", shutdown(&fd, Shutdown::Write));
    match plan.then {
        Then::Leave => {}
        Then::Send => {
            let bytes = [b'a'; BYTES_UNACKNOWLEDGED as usize];
            let sent = done(label, "send", send(&fd, &bytes, SendFlags::NOSIGNAL));
            assert_eq!(sent, bytes.len(), "{label}: not all was sent");
        }
        Then::Shutdown => shut(),
        Then::Close => return None,
        Then::ShutdownThenClose => {
            shut();
            await_state(label, local, peer, plan.state);
            return None;
        }
    }
    Some(fd)
}
