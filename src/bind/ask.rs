//! Asks the kernel by trying: a fresh socket is bound and closed again at once. It never listens and sends nothing.
//!
//! For that moment the port is held, so that another program's bind may fail in it. So no bind is tried whose outcome
//! follows from another one's, and a socket is closed before anything else is done.

use std::net::SocketAddr;

use rustix::io::Errno;
use rustix::net::sockopt::{ipv6_v6only, set_ipv6_v6only, set_socket_reuseaddr};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};

use super::{Try, Verdict};

/// Why the kernel could not be asked.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {}", std::io::Error::from(*errno))]
pub(crate) struct AskError {
    what: &'static str,
    errno: Errno,
}

/// Tries each address without SO_REUSEADDR, and with it where something is in the way: else it would make no difference.
///
/// With `v6only` an IPv6 socket is for IPv6 only, so that an IPv4 one is never in its way. Without, it is what a program
/// gets that does not say: a socket bound to `::` takes IPv4 too, unless net.ipv6.bindv6only is set.
pub(crate) fn ask(addresses: &[SocketAddr], v6only: bool) -> Result<Vec<Try>, AskError> {
    let both = |at: &SocketAddr| {
        let (plain, v6only) = try_once(*at, v6only, false)?;
        let reuse = match plain {
            Verdict::InUse => try_once(*at, v6only, true)?.0,
            other => other,
        };
        Ok(Try { at: *at, v6only, plain, reuse })
    };
    addresses.iter().map(both).collect()
}

/// What came of it, and whether the socket was for IPv6 only.
fn try_once(at: SocketAddr, v6only: bool, reuse: bool) -> Result<(Verdict, bool), AskError> {
    let failed = |what| move |errno| AskError { what, errno };
    let family = if at.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = match socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None) {
        Ok(socket) => socket,
        Err(Errno::AFNOSUPPORT) => return Ok((Verdict::NoSuchFamily, v6only)),
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
    let bound = bind(&socket, &at);
    drop(socket);
    let verdict = match bound {
        Ok(()) => Verdict::Bound,
        Err(Errno::ADDRINUSE) => Verdict::InUse,
        Err(Errno::ACCESS) => Verdict::Denied,
        Err(Errno::PERM) => Verdict::Forbidden,
        Err(Errno::ADDRNOTAVAIL) => Verdict::NoSuchAddress,
        Err(errno) => Verdict::Other(errno.raw_os_error()),
    };
    Ok((verdict, v6only))
}
