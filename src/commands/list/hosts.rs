//! The names of the listed hosts.

use rustc_hash::FxHashSet;

use super::List;
use crate::kernel::names::Hosts;
use crate::model::Socket;
use crate::session::Session;

/// The names of the sockets' hosts, as many as come in time.
pub(super) fn host_names<'a>(
    list: &List,
    session: &Session,
    sockets: impl Iterator<Item = &'a Socket>,
    has_ended: impl Fn() -> bool,
) -> Hosts {
    let addrs: FxHashSet<_> = sockets.flat_map(|socket| [socket.local.addr, socket.peer.addr]).collect();
    session.hosts.resolve(addrs, list.resolve_timeout, has_ended)
}
