//! A host: a network namespace with one TUN device, which ends with this value.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, socket};
use rustix::process::{getegid, geteuid};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};

/// Its only device.
const DEVICE: &str = "tun0";

/// What failed where no thread can be had.
const THREAD: &str = "start a thread";

/// A step on the way to a host that failed.
#[derive(Debug, thiserror::Error)]
#[error("set the scene: {what}: {source}")]
pub(crate) struct HostError {
    what: &'static str,
    source: io::Error,
}

fn failed(what: &'static str) -> impl Fn(io::Error) -> HostError {
    move |source| HostError { what, source }
}

/// A network namespace with an address.
pub(super) struct Host {
    namespace: OwnedFd,
    /// Whole IPv4 packets, as they leave and come.
    pub(super) tun: File,
}

impl Host {
    /// Makes one with this address, and the peers' in the same /24.
    pub(super) fn new(addr: Ipv4Addr) -> Result<Self, HostError> {
        // A thread of its own, as the namespace is the thread's: the caller stays where it is.
        let made = on_a_thread(|| {
            // SAFETY: only this thread's network namespace changes; its descriptors stay shared.
            unsafe { unshare_unsafe(UnshareFlags::NEWNET) }
                .map_err(|error| failed("unshare")(error.into()))?;
            let namespace =
                File::open("/proc/thread-self/ns/net").map_err(failed("/proc/thread-self/ns/net"))?;
            let tun = open_tun().map_err(failed("/dev/net/tun"))?;
            configure(addr).map_err(failed("give its device an address"))?;
            Ok(Self { namespace: namespace.into(), tun })
        });
        made.map_err(failed(THREAD))?
    }

    /// Runs this inside.
    pub(super) fn inside<T: Send>(&self, f: impl FnOnce() -> T + Send) -> io::Result<T> {
        on_a_thread(|| {
            move_into_link_name_space(self.namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
            Ok(f())
        })
        .map_err(|error| io::Error::new(error.kind(), format!("{THREAD}: {error}")))?
    }

    /// Changes a setting, named as below /proc/sys/net; one that this kernel does not have stays away.
    pub(super) fn set(&self, name: &'static str, value: &str) -> Result<(), HostError> {
        let path = format!("/proc/sys/net/{name}");
        let written = self.inside(|| fs::write(path, value)).and_then(|written| written);
        written
            .or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
            .map_err(failed(name))
    }
}

/// A thread that ends before this returns; what it changes of itself ends with it.
fn on_a_thread<T: Send>(f: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, f)?;
        Ok(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Without privilege a network namespace can be had in a user namespace of one's own. The whole process moves there: it
/// must have no other thread.
pub(super) fn enter_user_namespace() -> Result<(), HostError> {
    let (uid, gid) = (geteuid(), getegid());
    unshare_user().map_err(|error| failed("a user namespace")(error.into()))?;
    let map = |path: &'static str, text: String| fs::write(path, text).map_err(failed(path));
    map("/proc/self/setgroups", "deny".to_owned())?;
    map("/proc/self/uid_map", format!("0 {} 1", uid.as_raw()))?;
    map("/proc/self/gid_map", format!("0 {} 1", gid.as_raw()))
}

/// The kernel still counts a thread that was joined a moment ago, and refuses a process with two threads (EINVAL).
fn unshare_user() -> Result<(), Errno> {
    let deadline = Instant::now() + Duration::from_secs(1);
    loop {
        // SAFETY: no descriptor table is unshared.
        match unsafe { unshare_unsafe(UnshareFlags::NEWUSER) } {
            Err(Errno::INVAL) if Instant::now() < deadline => thread::sleep(Duration::from_millis(1)),
            done => return done,
        }
    }
}

impl HostError {
    /// Whether it is for want of privilege.
    pub(super) fn is_denied(&self) -> bool {
        self.source.kind() == io::ErrorKind::PermissionDenied
    }

    /// Whether there may be no more threads.
    pub(super) fn lacks_thread(&self) -> bool {
        self.what == THREAD
    }

    /// Whether there may be no more namespaces, which the kernel calls a lack of space.
    pub(super) fn is_limited(&self) -> bool {
        self.source.kind() == io::ErrorKind::StorageFull
    }
}

/// Makes the device, which lives as long as the file is open.
fn open_tun() -> io::Result<File> {
    let tun =
        OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open("/dev/net/tun")?;
    // Bare IP packets, without the device's own header.
    let mut request =
        request(libc::__c_anonymous_ifr_ifru { ifru_flags: flags(libc::IFF_TUN | libc::IFF_NO_PI) });
    ask(tun.as_raw_fd(), libc::TUNSETIFF, &mut request)?;
    Ok(tun)
}

/// Gives the device its address, and sets it up.
fn configure(addr: Ipv4Addr) -> io::Result<()> {
    let asker = socket(AddressFamily::INET, SocketType::DGRAM, None)?;
    let fd = asker.as_raw_fd();
    for (what, addr) in [(libc::SIOCSIFADDR, addr), (libc::SIOCSIFNETMASK, Ipv4Addr::new(255, 255, 255, 0))] {
        ask(fd, what, &mut request(libc::__c_anonymous_ifr_ifru { ifru_addr: sockaddr(addr) }))?;
    }
    let up = flags(libc::IFF_UP | libc::IFF_RUNNING);
    ask(fd, libc::SIOCSIFFLAGS, &mut request(libc::__c_anonymous_ifr_ifru { ifru_flags: up }))
}

/// All flags of devices are low bits.
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
