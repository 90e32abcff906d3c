//! The far end of the zoo's connections: a TUN device whose packets a thread
//! answers as it was told to, TCP segment by TCP segment. Only such a peer can
//! hold a kernel's socket in the states which pass in no time otherwise.

use std::fs::{File, OpenOptions};
use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::panic::resume_unwind;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use rustix::event::{PollFd, PollFlags, poll};

use super::namespace::Namespace;
use super::packet::Segment;
pub(crate) use super::script::{BYTES_SENT, Script};
use super::script::{Flows, Open};

pub(crate) const DEVICE: &str = "tun0";
pub(crate) const OUR_V4: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);
pub(crate) const PEER_V4: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 2);
pub(crate) const OUR_V6: Ipv6Addr = Ipv6Addr::new(0xfd99, 0, 0, 0, 0, 0, 0, 1);
pub(crate) const PEER_V6: Ipv6Addr = Ipv6Addr::new(0xfd99, 0, 0, 0, 0, 0, 0, 2);
pub(crate) const OUR_LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
pub(crate) const PEER_LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2);

/// The device, and the thread that plays the whole network behind it.
pub(crate) struct Peer {
    commands: Sender<Open>,
    /// A byte per command; its closing ends the thread.
    wake: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl Peer {
    /// Sets up the device; the error says why that cannot be done here.
    pub(crate) fn start(namespace: &Namespace) -> Result<Self, String> {
        let tun = namespace.inside(open_tun).map_err(|error| format!("cannot make a TUN device: {error}"))?;
        namespace.ip(&address_commands())?;
        let (wake_end, wake) = io::pipe().map_err(|error| format!("cannot make a pipe: {error}"))?;
        let (commands, received) = mpsc::channel();
        // Started inside, so that the thread belongs to the namespace.
        let thread = namespace.inside(|| {
            thread::Builder::new()
                .name("zoo peer".to_owned())
                .spawn(move || run(tun, wake_end, &received))
                .map_err(|error| format!("cannot start the peer's thread: {error}"))
        })?;
        Ok(Self { commands, wake: Some(wake), thread: Some(thread) })
    }

    /// The peer's address and `port` as a socket of ours at `ours` sees them:
    /// v4-mapped or scoped if that is.
    pub(crate) fn address_facing(ours: SocketAddr, port: u16) -> SocketAddr {
        match ours {
            SocketAddr::V4(_) => (PEER_V4, port).into(),
            SocketAddr::V6(ours) if ours.ip().is_unicast_link_local() => {
                SocketAddrV6::new(PEER_LINK_LOCAL, port, 0, ours.scope_id()).into()
            }
            SocketAddr::V6(ours) if ours.ip().to_ipv4_mapped().is_some() => {
                (PEER_V4.to_ipv6_mapped(), port).into()
            }
            SocketAddr::V6(_) => (PEER_V6, port).into(),
        }
    }

    /// Has the peer send a SYN from `port` to our listener at `to`, and follow
    /// `script` from there on. Returns at once.
    pub(crate) fn open(&self, port: u16, to: SocketAddr, script: Script) {
        // Packets carry neither scopes nor mapped addresses.
        let bare = |address: SocketAddr| (address.ip().to_canonical(), address.port()).into();
        let (from, to) = (bare(Self::address_facing(to, port)), bare(to));
        self.commands
            .send(Open { from, to, script })
            .unwrap_or_else(|_| panic!("the peer's thread has ended before opening {from}"));
        self.wake
            .as_ref()
            .expect("the pipe is open until the drop")
            .write_all(&[0])
            .unwrap_or_else(|error| panic!("cannot wake the peer's thread: {error}"));
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.wake = None;
        let ended = self.thread.take().map_or(Ok(()), JoinHandle::join);
        if let Err(panic) = ended
            && !thread::panicking()
        {
            resume_unwind(panic);
        }
    }
}

/// Makes the device, which lives as long as the file is open.
pub(super) fn open_tun() -> io::Result<File> {
    let tun =
        OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open("/dev/net/tun")?;
    let mut request = libc::ifreq {
        ifr_name: [0; libc::IFNAMSIZ],
        ifr_ifru: libc::__c_anonymous_ifr_ifru {
            // Bare IP packets, without the device's own header.
            ifru_flags: libc::c_short::try_from(libc::IFF_TUN | libc::IFF_NO_PI).expect("both are low bits"),
        },
    };
    for (to, from) in request.ifr_name.iter_mut().zip(DEVICE.bytes()) {
        *to = libc::c_char::from_ne_bytes([from]);
    }
    // SAFETY: TUNSETIFF reads and writes one `ifreq`, which `request` is, and
    // the descriptor is open for the call.
    let done = unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
    if done == 0 { Ok(tun) } else { Err(io::Error::last_os_error()) }
}

/// What `ip` has to do for the device. It has no link layer, so it is told its
/// link-local address (`addrgenmode none` keeps the kernel from adding a random
/// one), and there is nobody to ask whether an address is taken (`nodad`).
fn address_commands() -> String {
    format!(
        "link set {DEVICE} addrgenmode none\n\
         addr add {OUR_V4}/24 dev {DEVICE}\n\
         addr add {OUR_V6}/64 dev {DEVICE} nodad\n\
         addr add {OUR_LINK_LOCAL}/64 dev {DEVICE} nodad\n\
         link set {DEVICE} up\n"
    )
}

/// The thread: answers packets and obeys commands until the pipe is closed.
fn run(mut tun: File, mut wake: PipeReader, commands: &Receiver<Open>) {
    let mut flows = Flows::default();
    loop {
        let (packet_waits, woken) = wait(&tun, &wake);
        if packet_waits && let Some(segment) = receive(&mut tun) {
            send(&mut tun, &flows.respond(&segment));
        }
        if woken {
            if wake.read(&mut [0]).expect("the peer's pipe can be read") == 0 {
                return send(&mut tun, &flows.resets());
            }
            let command = commands.recv().expect("each byte follows a command");
            send(&mut tun, &[flows.open(&command)]);
        }
    }
}

/// Waits for the device and the pipe, and says which of them is ready.
fn wait(tun: &File, wake: &PipeReader) -> (bool, bool) {
    let mut fds = [tun.as_fd(), wake.as_fd()].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
    rustix::io::retry_on_intr(|| poll(&mut fds, None)).expect("the peer can wait for packets");
    let [tun, wake] = fds.map(|fd| !fd.revents().is_empty());
    (tun, wake)
}

/// The next packet, if it is TCP at all: IPv6 has some more to say.
fn receive(tun: &mut File) -> Option<Segment> {
    let mut packet = [0; 2048];
    match tun.read(&mut packet) {
        Ok(len) => Segment::parse(&packet[..len]),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
        Err(error) => panic!("the peer cannot read from {DEVICE}: {error}"),
    }
}

fn send(tun: &mut File, segments: &[Segment]) {
    for segment in segments {
        tun.write_all(&segment.build())
            .unwrap_or_else(|error| panic!("the peer cannot send {segment:?}: {error}"));
    }
}
