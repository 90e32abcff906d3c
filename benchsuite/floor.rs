//! The least that must be done: asks for the dump in one walk, counts the messages, prints one line.

use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr};
use rustix::net::{RecvFlags, recv};

/// `TCPDIAG_GETSOCK`, both families.
const GETSOCK: u16 = 18;
const NLM_F_REQUEST_DUMP: u16 = 0x301;
const NLMSG_DONE: u16 = 3;
/// Every state, bound sockets too.
const STATES: u32 = 0x3fff;

/// `extensions` is the mask of `INET_DIAG_*` attributes.
pub(crate) fn print(extensions: u8) {
    println!("{}", count(extensions));
}

fn count(extensions: u8) -> u64 {
    let socket = Socket::new(NETLINK_SOCK_DIAG).expect("there is netlink");
    socket.send_to(&request(extensions), &SocketAddr::new(0, 0), 0).expect("it can be asked");
    let mut buffer = vec![0; 32 * 1024];
    let mut messages = 0;
    loop {
        let (len, _) = recv(&socket, &mut buffer[..], RecvFlags::empty()).expect("it answers");
        let mut rest = &buffer[..len];
        while let Some((header, _)) = rest.split_at_checked(16) {
            let len = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
            if u16::from_ne_bytes([header[4], header[5]]) == NLMSG_DONE {
                return messages;
            }
            messages += 1;
            rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        }
    }
}

/// `struct nlmsghdr` and `struct inet_diag_req`.
fn request(extensions: u8) -> Vec<u8> {
    let mut bytes = vec![0; 76];
    bytes[0..4].copy_from_slice(&76_u32.to_ne_bytes());
    bytes[4..6].copy_from_slice(&GETSOCK.to_ne_bytes());
    bytes[6..8].copy_from_slice(&NLM_F_REQUEST_DUMP.to_ne_bytes());
    bytes[19] = extensions;
    bytes[68..72].copy_from_slice(&STATES.to_ne_bytes());
    bytes
}
