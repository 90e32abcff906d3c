//! A TUN device: a network device whose packets a program reads and writes.

use std::fs::{File, OpenOptions};
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::fs::OpenOptionsExt as _;

use rustix::net::{AddressFamily, SocketType, socket};

/// The device's name.
const DEVICE: &str = "tun0";

/// Creates the device in the calling thread's network namespace; it exists as long as the file is open.
pub(crate) fn open() -> io::Result<File> {
    let tun =
        OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open("/dev/net/tun")?;
    // Bare IP packets, without the device's own header.
    let mut request =
        request(libc::__c_anonymous_ifr_ifru { ifru_flags: flags(libc::IFF_TUN | libc::IFF_NO_PI) });
    ask(tun.as_raw_fd(), libc::TUNSETIFF, &mut request)?;
    Ok(tun)
}

/// Gives the device its address and brings it up.
pub(crate) fn configure(addr: Ipv4Addr) -> io::Result<()> {
    let asker = socket(AddressFamily::INET, SocketType::DGRAM, None)?;
    let fd = asker.as_raw_fd();
    for (what, addr) in [(libc::SIOCSIFADDR, addr), (libc::SIOCSIFNETMASK, Ipv4Addr::new(255, 255, 255, 0))] {
        ask(fd, what, &mut request(libc::__c_anonymous_ifr_ifru { ifru_addr: sockaddr(addr) }))?;
    }
    let up = flags(libc::IFF_UP | libc::IFF_RUNNING);
    ask(fd, libc::SIOCSIFFLAGS, &mut request(libc::__c_anonymous_ifr_ifru { ifru_flags: up }))
}

/// Narrows device flags, which are all low bits.
fn flags(bits: libc::c_int) -> libc::c_short {
    libc::c_short::try_from(bits).unwrap_or(0)
}

/// A request about the device.
fn request(content: libc::__c_anonymous_ifr_ifru) -> libc::ifreq {
    let mut request = libc::ifreq { ifr_name: [0; libc::IFNAMSIZ], ifr_ifru: content };
    for (to, from) in request.ifr_name.iter_mut().zip(DEVICE.bytes()) {
        *to = libc::c_char::from_ne_bytes([from]);
    }
    request
}

/// `struct sockaddr_in` in the general form: family, port (none), the address's four bytes.
fn sockaddr(addr: Ipv4Addr) -> libc::sockaddr {
    let mut data = [0; 14];
    for (to, from) in data.iter_mut().skip(2).zip(addr.octets()) {
        *to = libc::c_char::from_ne_bytes([from]);
    }
    libc::sockaddr {
        sa_family: libc::sa_family_t::try_from(libc::AF_INET).unwrap_or_default(),
        sa_data: data,
    }
}

fn ask(fd: RawFd, what: libc::Ioctl, request: &mut libc::ifreq) -> io::Result<()> {
    // SAFETY: each of these requests reads and writes one `ifreq`, which `request` is; the descriptor is open.
    let done = unsafe { libc::ioctl(fd, what, std::ptr::from_mut(request)) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
