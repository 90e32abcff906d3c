//! Asks the kernel by trying: a fresh socket is bound and closed again at once. It never listens and sends nothing.
//!
//! For that moment the port is held, so that another program's bind may fail in it.

use std::net::SocketAddr;

use rustix::io::Errno;
use rustix::net::sockopt::{set_ipv6_v6only, set_socket_reuseaddr};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};

use super::{Try, Verdict};

/// Why the kernel could not be asked.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {}", std::io::Error::from(*errno))]
pub struct AskError {
    what: &'static str,
    errno: Errno,
}

/// Tries each address without SO_REUSEADDR, then with it.
pub fn ask(addresses: &[SocketAddr]) -> Result<Vec<Try>, AskError> {
    let both =
        |at: &SocketAddr| Ok(Try { at: *at, plain: try_once(*at, false)?, reuse: try_once(*at, true)? });
    addresses.iter().map(both).collect()
}

/// An IPv6 socket is tried for IPv6 only, so that an IPv4 one is never in its way.
fn try_once(at: SocketAddr, reuse: bool) -> Result<Verdict, AskError> {
    let failed = |what| move |errno| AskError { what, errno };
    let family = if at.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = match socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None) {
        Ok(socket) => socket,
        Err(Errno::AFNOSUPPORT) => return Ok(Verdict::NoSuchFamily),
        Err(errno) => return Err(failed("open a socket")(errno)),
    };
    if at.is_ipv6() {
        set_ipv6_v6only(&socket, true).map_err(failed("set IPV6_V6ONLY"))?;
    }
    if reuse {
        set_socket_reuseaddr(&socket, true).map_err(failed("set SO_REUSEADDR"))?;
    }
    Ok(match bind(&socket, &at) {
        Ok(()) => Verdict::Bound,
        Err(Errno::ADDRINUSE) => Verdict::InUse,
        Err(Errno::ACCESS) => Verdict::Denied,
        Err(Errno::PERM) => Verdict::Forbidden,
        Err(Errno::ADDRNOTAVAIL) => Verdict::NoSuchAddress,
        Err(errno) => Verdict::Other(errno.raw_os_error()),
    })
}
