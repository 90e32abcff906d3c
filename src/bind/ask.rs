//! Asks the kernel by trying: a fresh socket is bound and closed again at once.
//!
//! The port is taken during that moment, so another program's bind may fail. Therefore no bind is tried whose outcome
//! follows from another, and each socket is closed before anything else is done.

use std::net::SocketAddr;

use rustix::io::Errno;

use super::{Try, Verdict};
use crate::kernel::try_bind::{AskError, try_bind};

/// Tries each address without SO_REUSEADDR, and with it if the port is in use: otherwise it makes no difference.
///
/// With `v6only` an IPv6 socket is for IPv6 only, so no IPv4 socket blocks it. Without it the socket has the default:
/// bound to `::` it takes IPv4 too, unless net.ipv6.bindv6only is set.
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

/// The kernel's answer, and whether the socket was for IPv6 only.
fn try_once(at: SocketAddr, v6only: bool, reuse: bool) -> Result<(Verdict, bool), AskError> {
    let tried = try_bind(at, v6only, reuse)?;
    let verdict = match tried.bound {
        Ok(()) => Verdict::Bound,
        Err(Errno::AFNOSUPPORT) => Verdict::NoSuchFamily,
        Err(Errno::ADDRINUSE) => Verdict::InUse,
        Err(Errno::ACCESS) => Verdict::Denied,
        Err(Errno::PERM) => Verdict::Forbidden,
        Err(Errno::ADDRNOTAVAIL) => Verdict::NoSuchAddress,
        Err(errno) => Verdict::Other(errno.raw_os_error()),
    };
    Ok((verdict, tried.v6only))
}
