//! Netlink's framing: the messages within a datagram (include/uapi/linux/netlink.h).

use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned, byteorder::native_endian};

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLMSG_OVERRUN: u16 = 4;
const TCPDIAG_GETSOCK: u16 = 18;
const SOCK_DIAG_BY_FAMILY: u16 = 20;

const NLM_F_DUMP_INTR: u16 = 0x10;
const NLM_F_CAPPED: u16 = 0x100;
const NLM_F_ACK_TLVS: u16 = 0x200;

/// The attribute of an extended acknowledgement that holds its text.
const NLMSGERR_ATTR_MSG: u16 = 1;

#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Header {
    len: native_endian::U32,
    kind: native_endian::U16,
    flags: native_endian::U16,
    sequence: native_endian::U32,
    port: native_endian::U32,
}

const HEADER_LEN: usize = size_of::<Header>();

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    /// The number of the request that this message answers.
    pub(super) sequence: u32,
    /// Whether the kernel reports that its table changed during the dump.
    pub(super) inconsistent: bool,
    pub(super) body: Body<'a>,
}

/// The content of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body<'a> {
    /// A socket: `struct inet_diag_msg` and attributes.
    Socket(&'a [u8]),
    /// The end of the dump, with an error number (positive; 0 for none).
    Done { errno: i32, note: Option<&'a [u8]> },
    /// The request failed; an error number of 0 is an acknowledgement.
    Error { errno: i32, note: Option<&'a [u8]> },
    /// The kernel lost something.
    Overrun,
    /// Nothing that concerns a dump.
    Other,
}

/// The bytes are not a message: the rest of the datagram cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Garbled;

/// Iterates over a datagram's messages; ends with an `Err` if the rest is not a message.
pub(super) struct Frames<'a> {
    rest: &'a [u8],
}

impl<'a> Frames<'a> {
    pub(super) fn new(datagram: &'a [u8]) -> Self {
        Self { rest: datagram }
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Frame<'a>, Garbled>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let rest = std::mem::take(&mut self.rest);
        let Ok((header, _)) = Header::ref_from_prefix(rest) else { return Some(Err(Garbled)) };
        let len = header.len.get() as usize;
        let Some(payload) = rest.get(HEADER_LEN..len) else { return Some(Err(Garbled)) };
        // Messages begin at multiples of four; the last one's padding may be missing.
        self.rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        let flags = header.flags.get();
        Some(Ok(Frame {
            sequence: header.sequence.get(),
            inconsistent: flags & NLM_F_DUMP_INTR != 0,
            body: body(header.kind.get(), flags, payload),
        }))
    }
}

fn body(kind: u16, flags: u16, payload: &[u8]) -> Body<'_> {
    match kind {
        SOCK_DIAG_BY_FAMILY | TCPDIAG_GETSOCK => Body::Socket(payload),
        NLMSG_DONE => Body::Done { errno: errno(payload), note: note(flags, payload.get(4..)) },
        NLMSG_ERROR => {
            Body::Error { errno: errno(payload), note: note(flags, behind_request(flags, payload)) }
        }
        NLMSG_OVERRUN => Body::Overrun,
        _ => Body::Other,
    }
}

/// The leading error number: negative on the wire, and missing in the DONE of some kernels.
fn errno(payload: &[u8]) -> i32 {
    let number = payload.first_chunk().map_or(0, |bytes| i32::from_ne_bytes(*bytes));
    number.checked_neg().unwrap_or(i32::MAX)
}

/// The bytes after the error number and the request that the kernel sends back.
fn behind_request(flags: u16, payload: &[u8]) -> Option<&[u8]> {
    let request = payload.get(4..)?;
    let (header, _) = Header::ref_from_prefix(request).ok()?;
    let len = if flags & NLM_F_CAPPED == 0 { header.len.get() as usize } else { HEADER_LEN };
    request.get(len.max(HEADER_LEN).next_multiple_of(4)..)
}

/// The text of an extended acknowledgement.
fn note(flags: u16, attributes: Option<&[u8]>) -> Option<&[u8]> {
    if flags & NLM_F_ACK_TLVS == 0 {
        return None;
    }
    let text = Attributes::new(attributes?).find(|attribute| attribute.kind == NLMSGERR_ATTR_MSG)?.payload;
    Some(text.strip_suffix(b"\0").unwrap_or(text))
}

/// One attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attribute<'a> {
    /// The attribute's number, without the flags in the upper bits.
    pub(super) kind: u16,
    pub(super) payload: &'a [u8],
}

#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct AttributeHeader {
    len: native_endian::U16,
    kind: native_endian::U16,
}

const ATTRIBUTE_HEADER_LEN: usize = size_of::<AttributeHeader>();

/// Iterates over attributes, up to the first incomplete one.
pub(super) struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        const FLAGS: u16 = 0xc000;
        let rest = std::mem::take(&mut self.rest);
        let (header, _) = AttributeHeader::ref_from_prefix(rest).ok()?;
        let len = usize::from(header.len.get());
        let payload = rest.get(ATTRIBUTE_HEADER_LEN..len)?;
        self.rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some(Attribute { kind: header.kind.get() & !FLAGS, payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(HEADER_LEN + payload.len()).unwrap().to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(1_u32.to_ne_bytes());
        bytes.extend(0_u32.to_ne_bytes());
        bytes.extend(payload);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn only(bytes: &[u8]) -> Frame<'_> {
        Frames::new(bytes).next().unwrap().unwrap()
    }

    #[test]
    fn done_carries_its_error() {
        assert_eq!(only(&message(3, 0, &[])).body, Body::Done { errno: 0, note: None });
        assert_eq!(only(&message(3, 0, &(-4_i32).to_ne_bytes())).body, Body::Done { errno: 4, note: None });
    }

    #[test]
    fn errors_carry_the_kernels_words() {
        let mut payload = (-22_i32).to_ne_bytes().to_vec();
        payload.extend(message(20, 0x301, &[0; 56]));
        payload.extend(9_u16.to_ne_bytes());
        payload.extend(1_u16.to_ne_bytes());
        payload.extend(b"wrong\0");
        let whole = message(2, NLM_F_ACK_TLVS, &payload);
        assert_eq!(only(&whole).body, Body::Error { errno: 22, note: Some(b"wrong") });
    }

    #[test]
    fn a_length_that_lies_ends_the_datagram() {
        let mut bytes = message(20, 0, &[0; 8]);
        bytes[..4].copy_from_slice(&4096_u32.to_ne_bytes());
        assert_eq!(Frames::new(&bytes).collect::<Vec<_>>(), [Err(Garbled)]);
        bytes[..4].copy_from_slice(&3_u32.to_ne_bytes());
        assert_eq!(Frames::new(&bytes).collect::<Vec<_>>(), [Err(Garbled)]);
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes: Vec<u8>) {
            prop_assert!(Frames::new(&bytes).count() <= bytes.len() / HEADER_LEN + 1);
            prop_assert!(Attributes::new(&bytes).count() <= bytes.len() / ATTRIBUTE_HEADER_LEN + 1);
        }
    }
}
