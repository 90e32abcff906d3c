//! The calls which make the zoo's sockets. Where one fails, that ends the test
//! with the socket's label.

use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::fstat;
use rustix::io::Errno;
use rustix::net::netdevice::name_to_index;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};

use super::peer::DEVICE;

pub(crate) fn socket(label: &str, local: SocketAddr) -> OwnedFd {
    let family = match local {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let made = socket_with(family, SocketType::STREAM, flags, None);
    done(label, "make a socket", made)
}

pub(crate) fn bound_socket(label: &str, local: SocketAddr) -> OwnedFd {
    let fd = socket(label, local);
    done(label, "bind", bind(&fd, &local));
    fd
}

/// Begins to connect; the state shows when that is done.
pub(crate) fn connect_to(label: &str, fd: &OwnedFd, peer: SocketAddr) {
    match connect(fd, &peer) {
        Err(Errno::INPROGRESS) => {}
        begun => done(label, "connect", begun),
    }
}

pub(crate) fn done<T>(label: &str, what: &str, result: rustix::io::Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{label}: cannot {what}: {error}"))
}

pub(crate) fn inode(fd: BorrowedFd<'_>) -> u64 {
    fstat(fd).unwrap_or_else(|error| panic!("cannot tell a socket's inode: {error}")).st_ino
}

/// The device's index, which is the scope of its link-local addresses.
pub(crate) fn device_index() -> u32 {
    let fd = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None);
    let fd = done(DEVICE, "make a socket", fd);
    done(DEVICE, "tell the index", name_to_index(&fd, DEVICE))
}
