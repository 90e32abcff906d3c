//! Binds a new socket and closes it immediately. The socket never listens and sends nothing.

use std::net::SocketAddr;

use rustix::io::Errno;
use rustix::net::sockopt::{ipv6_v6only, set_ipv6_v6only, set_socket_reuseaddr};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};

/// A call before the bind that failed, so that the kernel could not be asked.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {}", std::io::Error::from(*errno))]
pub(crate) struct AskError {
    what: &'static str,
    errno: Errno,
}

/// The kernel's answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tried {
    pub(crate) bound: Result<(), Errno>,
    /// Whether the socket was for IPv6 only.
    pub(crate) v6only: bool,
}

/// Binds to this address. If `v6only` is false, an IPv6 socket keeps the default that `bindv6only` sets; `reuse` sets
/// SO_REUSEADDR.
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
