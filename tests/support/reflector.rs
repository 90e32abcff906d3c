//! A TUN device that throws each packet back with its addresses swapped, so that a socket which connects to the far
//! address meets a listener at the near one; and that holds packets back on command, so that segments cross.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
use std::net::Ipv4Addr;
use std::thread::{self, JoinHandle};

use rustix::event::{PollFd, PollFlags, poll};

use super::namespace::Namespace;
use super::peer::{DEVICE, open_tun};

/// This end.
pub(crate) const NEAR: Ipv4Addr = Ipv4Addr::new(10, 88, 0, 1);
/// What is reflected.
pub(crate) const FAR: Ipv4Addr = Ipv4Addr::new(10, 88, 0, 2);

/// The device, and the thread behind it.
pub(crate) struct Reflector {
    /// A byte for each command; its closing ends the thread.
    commands: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

const HOLD: u8 = 1;
const RELEASE: u8 = 2;

impl Reflector {
    /// Sets it up; the error says why that cannot be done here.
    pub(crate) fn start(namespace: &Namespace) -> Result<Self, String> {
        let tun = namespace.inside(open_tun).map_err(|error| format!("cannot make a TUN device: {error}"))?;
        namespace.ip(&format!("addr add {NEAR}/24 dev {DEVICE}\nlink set {DEVICE} up\n"))?;
        let (read, commands) = io::pipe().map_err(|error| format!("cannot make a pipe: {error}"))?;
        let thread = thread::spawn(move || run(tun, read));
        Ok(Self { commands: Some(commands), thread: Some(thread) })
    }

    /// Keeps packets from now on.
    pub(crate) fn hold(&self) {
        self.command(HOLD);
    }

    /// Throws those back that were kept, in their order, and all that come.
    pub(crate) fn release(&self) {
        self.command(RELEASE);
    }

    fn command(&self, command: u8) {
        let mut commands = self.commands.as_ref().expect("the pipe is open until the drop");
        commands.write_all(&[command]).expect("the thread reads it");
    }
}

impl Drop for Reflector {
    fn drop(&mut self) {
        self.commands = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn run(mut tun: File, mut commands: PipeReader) {
    let (mut kept, mut holds) = (Vec::<Vec<u8>>::new(), false);
    loop {
        let mut watched = [PollFd::new(&tun, PollFlags::IN), PollFd::new(&commands, PollFlags::IN)];
        rustix::io::retry_on_intr(|| poll(&mut watched, None)).expect("it can wait");
        let [packet, command] = watched.map(|watched| !watched.revents().is_empty());
        if command {
            let mut byte = [0];
            if commands.read(&mut byte).expect("the pipe can be read") == 0 {
                return;
            }
            holds = byte == [HOLD];
        }
        if packet {
            kept.extend(receive(&mut tun));
        }
        if !holds {
            for packet in kept.drain(..) {
                tun.write_all(&packet).expect("the device takes packets");
            }
        }
    }
}

/// The next packet, its IPv4 addresses swapped: no checksum changes by that.
fn receive(tun: &mut File) -> Option<Vec<u8>> {
    let mut packet = vec![0; 2048];
    let len = tun.read(&mut packet).ok()?;
    packet.truncate(len);
    if packet.first()? >> 4 != 4 {
        return None;
    }
    let (source, rest) = packet.get_mut(12..20)?.split_at_mut(4);
    source.swap_with_slice(rest);
    Some(packet)
}
