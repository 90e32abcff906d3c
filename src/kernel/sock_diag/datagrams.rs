//! The source of a dump's bytes: a netlink socket, or a recording of one.

use std::collections::VecDeque;
use std::io;

use rustix::net::RecvFlags;

use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_SOCK_DIAG};

/// The kernel sends at most this much at once (`netlink_dump` in net/netlink/af_netlink.c).
const RECEIVE_SIZE: usize = 32 * 1024;

/// Makes a receive return the datagram's whole length, even if the datagram did not fit.
const MSG_TRUNC: i32 = RecvFlags::TRUNC.bits().cast_signed();

/// One received datagram.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// Its bytes, as far as they fit.
    pub bytes: &'a [u8],
    /// Whether the datagram was longer.
    pub truncated: bool,
}

/// One conversation with the kernel.
pub trait Datagrams {
    /// Sends a request.
    fn send(&mut self, request: &[u8]) -> io::Result<()>;

    /// Waits for the next part of the answer.
    fn receive(&mut self) -> io::Result<Datagram<'_>>;
}

/// Opens a socket to this network namespace's `sock_diag`.
pub fn connect() -> io::Result<Box<dyn Datagrams + Send>> {
    let socket = Socket::new(NETLINK_SOCK_DIAG)?;
    // From now on only the kernel can send to it.
    socket.connect(&SocketAddr::new(0, 0))?;
    // Both only make errors more detailed; kernels before 4.12 do not know the first.
    let _ = socket.set_ext_ack(true);
    let _ = socket.set_cap_ack(true);
    Ok(Box::new(Live { socket, buffer: Vec::with_capacity(RECEIVE_SIZE) }))
}

struct Live {
    socket: Socket,
    buffer: Vec<u8>,
}

impl Datagrams for Live {
    fn send(&mut self, request: &[u8]) -> io::Result<()> {
        loop {
            match self.socket.send(request, 0) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other.map(drop),
            }
        }
    }

    fn receive(&mut self) -> io::Result<Datagram<'_>> {
        loop {
            self.buffer.clear();
            match self.socket.recv(&mut self.buffer, MSG_TRUNC) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(len) => {
                    return Ok(Datagram { bytes: &self.buffer, truncated: len > self.buffer.len() });
                }
            }
        }
    }
}

/// A recorded conversation. Each answer is a datagram's bytes, or the error of a receive.
#[derive(Debug, Default)]
pub struct Recording {
    answers: VecDeque<io::Result<Vec<u8>>>,
    current: Vec<u8>,
}

impl Recording {
    /// A conversation with these answers, followed by an end of file.
    pub fn new(answers: impl IntoIterator<Item = io::Result<Vec<u8>>>) -> Self {
        Self { answers: answers.into_iter().collect(), current: Vec::new() }
    }
}

impl Datagrams for Recording {
    fn send(&mut self, _request: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn receive(&mut self) -> io::Result<Datagram<'_>> {
        self.current =
            self.answers.pop_front().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?;
        let truncated = self.current.len() > RECEIVE_SIZE;
        Ok(Datagram { bytes: &self.current[..self.current.len().min(RECEIVE_SIZE)], truncated })
    }
}
