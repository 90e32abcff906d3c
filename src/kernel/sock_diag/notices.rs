//! The kernel's notices of sockets that it destroys, with each socket's last numbers.

use std::io;

use netlink_sys::{Socket as Connection, SocketAddr, protocols::NETLINK_SOCK_DIAG};
use rustix::io::Errno;

use super::decode::Decoder;
use super::frame::{Body, Frames};
use crate::model::Socket;

/// `SKNLGRP_INET_TCP_DESTROY` and `SKNLGRP_INET6_TCP_DESTROY`
const GROUPS: [u32; 2] = [1, 3];
/// A waiting notice takes about a kilobyte of the kernel's memory.
const WAITING: usize = 4 << 20;
const NOTICE: usize = 8 * 1024;

/// The notices of this network namespace.
pub struct Notices {
    connection: Connection,
    decoder: Decoder,
    buffer: Vec<u8>,
}

impl Notices {
    /// Joins the notices' groups, which needs CAP_NET_ADMIN.
    pub fn join() -> io::Result<Self> {
        let mut connection = Connection::new(NETLINK_SOCK_DIAG)?;
        connection.bind(&SocketAddr::new(0, 0))?;
        for group in GROUPS {
            connection.add_membership(group)?;
        }
        connection.set_non_blocking(true)?;
        // A larger buffer is better, but a smaller one is enough.
        let _ = connection.set_rx_buf_sz(WAITING);
        Ok(Self { connection, decoder: Decoder::new(), buffer: Vec::with_capacity(NOTICE) })
    }

    /// Passes on the waiting notices; returns how often some were lost.
    pub fn read(&mut self, take: &mut dyn FnMut(&Socket)) -> u64 {
        let mut losses = 0;
        loop {
            self.buffer.clear();
            match self.connection.recv(&mut self.buffer, 0) {
                Ok(_) => {}
                Err(error) if Errno::from_io_error(&error) == Some(Errno::NOBUFS) => {
                    losses += 1;
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // No notice is left, or none can be received any more.
                Err(_) => return losses,
            }
            for frame in Frames::new(&self.buffer).map_while(Result::ok) {
                if let Body::Socket(payload) = frame.body
                    && let Ok(socket) = self.decoder.decode(payload)
                {
                    take(socket);
                }
            }
        }
    }
}

impl std::fmt::Debug for Notices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notices").finish_non_exhaustive()
    }
}
