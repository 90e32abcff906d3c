//! Many sockets in little memory: written one behind the other, a few dozen bytes each.

use postcard::ser_flavors::Flavor;

use super::Socket;

/// Memory is taken in pieces of this size, and never moved.
const PIECE: usize = 64 * 1024;

/// Sockets that are kept until all of them are known.
#[derive(Debug, Default)]
pub struct HeldSockets {
    pieces: Vec<Vec<u8>>,
    /// Where each begins, as if the pieces were one.
    starts: Vec<u32>,
}

/// A socket that could not be kept; one that was can be had again.
#[derive(Debug, thiserror::Error)]
#[error("keep a socket in memory: {0}")]
pub struct HoldError(#[from] postcard::Error);

impl HeldSockets {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Keeps a socket; the next has the next number, from 0.
    pub fn push(&mut self, socket: &Socket) -> Result<(), HoldError> {
        /// More than nearly any socket takes.
        const LONGEST: usize = 1024;
        // One with many MD5 keys may be longer, and is its piece's last then: each begins within its piece.
        if self.pieces.last().is_none_or(|piece| piece.len() > PIECE - LONGEST) {
            self.pieces.push(Vec::with_capacity(PIECE));
        }
        let at = self.pieces.len().saturating_sub(1);
        let Some(piece) = self.pieces.last_mut() else { return Ok(()) };
        let start =
            u32::try_from(at * PIECE + piece.len()).map_err(|_| postcard::Error::SerializeBufferFull)?;
        postcard::serialize_with_flavor(socket, Appended(piece))?;
        self.starts.push(start);
        Ok(())
    }

    /// The socket with this number.
    pub fn get(&self, number: usize) -> Result<Socket, HoldError> {
        let start = self.starts.get(number).map(|start| *start as usize);
        let bytes = start.and_then(|start| self.pieces.get(start / PIECE)?.get(start % PIECE..));
        Ok(postcard::take_from_bytes(bytes.unwrap_or_default())?.0)
    }
}

/// Appends to what is there.
struct Appended<'a>(&'a mut Vec<u8>);

impl Flavor for Appended<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use proptest::prelude::*;

    use super::*;
    use crate::model::{
        Algorithm, Congestion, Details, Endpoint, Family, Md5Key, Memory, Queues, Shutdown, Subflow, TcpInfo,
        TcpState, Timer, Ulp,
    };

    fn endpoints() -> impl Strategy<Value = Endpoint> {
        (any::<IpAddr>(), any::<u16>(), 0_u32..9)
            .prop_map(|(addr, port, scope)| Endpoint::new(addr, port).scoped(scope))
    }

    fn details() -> impl Strategy<Value = Details> {
        (proptest::collection::vec(any::<u8>(), 0..300), any::<(bool, bool)>(), any::<[u32; 9]>()).prop_map(
            |(bytes, (info, memory), m)| {
                let mut tcp_info = TcpInfo::from_bytes(&bytes);
                tcp_info.algorithm = Some(Algorithm::from_bytes(&bytes));
                tcp_info.congestion = Some(Congestion::Bbr {
                    bw_bytes_per_s: u64::MAX,
                    min_rtt_us: m[0],
                    pacing_gain: m[1],
                    cwnd_gain: m[2],
                });
                tcp_info.ulp = (m[5] % 2 == 0).then(|| {
                    let mptcp = Some(Subflow { flags: m[5], ..Subflow::default() });
                    Box::new(Ulp { name: Algorithm::from_bytes(b"mptcp"), mptcp, tls: None })
                });
                // Now and then longer than what is set aside for one.
                let key = Md5Key { address: m[6].to_ne_bytes().into(), prefix_length: 1 };
                tcp_info.md5keys = (m[7] % 2 == 0).then(|| vec![key; m[8] as usize % 200].into());
                let memory =
                    memory.then(|| Memory { rcvbuf: m[3], backlog: Some(m[4]), ..Memory::default() });
                Details { tcp_info: info.then_some(tcp_info), memory }
            },
        )
    }

    fn sockets() -> impl Strategy<Value = Socket> {
        let ends = (any::<bool>(), any::<u8>(), endpoints(), endpoints());
        let numbers = any::<(
            u32,
            u32,
            Option<u32>,
            Option<u64>,
            u32,
            Option<u64>,
            Option<bool>,
            Option<(bool, bool)>,
        )>();
        (ends, numbers, any::<(Option<u64>, Option<u32>, u8)>(), proptest::option::of(details())).prop_map(
            |(
                (v6, state, local, peer),
                (recv_q, send_q, uid, inode, interface, cookie, v6only, shut),
                (cgroup, mark, timer),
                details,
            )| {
                let state = TcpState::from_kernel(state);
                Socket {
                    queues: Queues::of(state, recv_q, send_q, Some(send_q)),
                    timer: Timer::from_kernel(timer % 8, recv_q, send_q, 3),
                    uid,
                    inode,
                    interface,
                    cookie,
                    v6only,
                    shutdown: shut.map(|(receive, send)| Shutdown { receive, send }),
                    cgroup,
                    mark,
                    details: details.map(Box::new),
                    ..Socket::new(if v6 { Family::Inet6 } else { Family::Inet }, state, local, peer)
                }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_kept_can_be_had_again(sockets in proptest::collection::vec(sockets(), 0..400)) {
            let mut held = HeldSockets::default();
            for socket in &sockets {
                held.push(socket).unwrap();
            }
            prop_assert_eq!(held.len(), sockets.len());
            for (number, socket) in sockets.iter().enumerate().rev() {
                prop_assert_eq!(&held.get(number).unwrap(), socket);
            }
            prop_assert!(held.get(sockets.len()).is_err());
        }
    }
}
