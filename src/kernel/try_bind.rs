//! Binds a fresh socket, and closes it again at once. It never listens and sends nothing.

use std::net::SocketAddr;

use rustix::io::Errno;
use rustix::net::sockopt::{ipv6_v6only, set_ipv6_v6only, set_socket_reuseaddr};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};

/// Why the kernel could not be asked.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {}", std::io::Error::from(*errno))]
pub(crate) struct AskError {
    what: &'static str,
    errno: Errno,
}

/// What the kernel said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tried {
    pub(crate) bound: Result<(), Errno>,
    /// Whether the socket was for IPv6 only.
    pub(crate) v6only: bool,
}

/// Binds to this address, for IPv6 only or as `bindv6only` has it, and with SO_REUSEADDR or without.
pub(crate) fn try_bind(at: SocketAddr, v6only: bool, reuse: bool) -> Result<Tried, AskError> {
    let failed = |what| move |errno| AskError { what, errno };
    let family = if at.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = match socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None) {
        Ok(socket) => socket,
        Err(errno @ Errno::AFNOSUPPORT) => return Ok(Tried { bound: Err(errno), v6only }),
        Err(errno) => return Err(failed("open a socket")(errno)),
    };
    let v6only = match (at, v6only) {
        (SocketAddr::V4(_), _) => false,
        (SocketAddr::V6(_), true) => {
            set_ipv6_v6only(&socket, true).map(|()| true).map_err(failed("set IPV6_V6ONLY"))?
        }
        (SocketAddr::V6(_), false) => ipv6_v6only(&socket).map_err(failed("ask for IPV6_V6ONLY"))?,
    };
    if reuse {
        set_socket_reuseaddr(&socket, true).map_err(failed("set SO_REUSEADDR"))?;
    }
    Ok(Tried { bound: bind(&socket, &at), v6only })
}
