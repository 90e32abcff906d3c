//! Decodes the attributes about upper layer protocols and about MD5 keys.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::frame::Attributes;
use crate::model::{Algorithm, Md5Key, Subflow, Tls, Ulp};

/// `INET_DIAG_ULP_INFO`; `None` without a name.
pub(super) fn decode_ulp(bytes: &[u8]) -> Option<Box<Ulp>> {
    const NAME: u16 = 1;
    const TLS: u16 = 2;
    const MPTCP: u16 = 3;
    let (mut name, mut mptcp, mut tls) = (None, None, None);
    for attribute in Attributes::new(bytes) {
        match attribute.kind {
            NAME => name = Some(Algorithm::from_bytes(attribute.payload)),
            TLS => tls = Some(decode_tls(attribute.payload)),
            MPTCP => mptcp = Some(decode_subflow(attribute.payload)),
            _ => {}
        }
    }
    Some(Box::new(Ulp { name: name?, mptcp, tls }))
}

/// `MPTCP_SUBFLOW_ATTR_*`: numbers that a kernel does not send stay 0.
fn decode_subflow(bytes: &[u8]) -> Subflow {
    let mut subflow = Subflow::default();
    for attribute in Attributes::new(bytes) {
        let payload = attribute.payload;
        let number = |width| number(payload, width);
        let word = || u32::try_from(number(4)).unwrap_or(0);
        let byte = || u8::try_from(number(1)).unwrap_or(0);
        match attribute.kind {
            1 => subflow.remote.0 = word(),
            2 => subflow.local.0 = word(),
            4 => subflow.map_seq = number(8),
            5 => subflow.map_subflow_seq = word(),
            6 => subflow.ssn_offset = word(),
            7 => subflow.map_data_len = u16::try_from(number(2)).unwrap_or(0),
            8 => subflow.flags = word(),
            9 => subflow.remote.1 = byte(),
            10 => subflow.local.1 = byte(),
            _ => {}
        }
    }
    subflow
}

/// `TLS_INFO_*`
fn decode_tls(bytes: &[u8]) -> Tls {
    let mut tls = Tls::default();
    for attribute in Attributes::new(bytes) {
        let value = attribute.payload.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes));
        match attribute.kind {
            1 => tls.version = value,
            2 => tls.cipher = value,
            3 => tls.tx_conf = value,
            4 => tls.rx_conf = value,
            _ => {}
        }
    }
    tls
}

/// The number in the first `width` bytes, in host byte order; 0 if there are fewer.
fn number(bytes: &[u8], width: usize) -> u64 {
    let Some(bytes) = bytes.get(..width) else { return 0 };
    let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    if cfg!(target_endian = "little") { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) }
}

/// `struct tcp_diag_md5sig`, as many as there are: family, prefix, the key's length, the address and the key.
pub(super) fn decode_md5keys(bytes: &[u8]) -> Box<[Md5Key]> {
    const LEN: usize = 100;
    const AF_INET: u8 = 2;
    const AF_INET6: u8 = 10;
    let key = |bytes: &[u8]| {
        let address = match *bytes.first()? {
            AF_INET => IpAddr::from(Ipv4Addr::from(*bytes.get(4..)?.first_chunk::<4>()?)),
            AF_INET6 => Ipv6Addr::from(*bytes.get(4..)?.first_chunk::<16>()?).into(),
            _ => return None,
        };
        Some(Md5Key { address, prefix_length: *bytes.get(1)? })
    };
    bytes.chunks_exact(LEN).filter_map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn attribute(kind: u16, payload: &[u8]) -> Vec<u8> {
        let mut bytes = u16::try_from(4 + payload.len()).unwrap().to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(payload);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn a_subflow() {
        let inner = [
            attribute(1, &0x97ef_u32.to_ne_bytes()),
            attribute(2, &7_u32.to_ne_bytes()),
            attribute(4, &u64::MAX.to_ne_bytes()),
            attribute(7, &258_u16.to_ne_bytes()),
            attribute(8, &0b1_1000_0001_u32.to_ne_bytes()),
            attribute(10, &[3]),
            attribute(5, &[1]),
            attribute(99, b"from a later kernel"),
        ]
        .concat();
        // Nested attributes have a flag in their number.
        let ulp = decode_ulp(&[attribute(1, b"mptcp\0"), attribute(0x8003, &inner)].concat()).unwrap();
        assert_eq!((ulp.name.as_bytes(), ulp.tls), (&b"mptcp"[..], None));
        let subflow = ulp.mptcp.unwrap();
        assert_eq!((subflow.remote, subflow.local), ((0x97ef, 0), (7, 3)));
        assert_eq!((subflow.map_seq, subflow.map_subflow_seq, subflow.map_data_len), (u64::MAX, 0, 258));
        assert_eq!(subflow.flags().map(|(letter, _)| letter).collect::<String>(), "Mcv");
    }

    #[test]
    fn tls_in_the_kernel() {
        let word = |kind, value: u16| attribute(kind, &value.to_ne_bytes());
        let inner = [word(1, 0x0303), word(2, 51), word(3, 2), word(4, 1)].concat();
        let tls = decode_ulp(&[attribute(1, b"tls\0"), attribute(2, &inner)].concat()).unwrap().tls.unwrap();
        assert_eq!((tls.version_name(), tls.cipher_name()), (Some("1.2"), Some("aes-gcm-128")));
        assert_eq!((tls.tx_conf.and_then(Tls::conf_name), tls.rx_conf), (Some("sw"), Some(1)));
        assert_eq!(decode_ulp(&attribute(2, &inner)), None);
    }

    #[test]
    fn keys_are_not_kept() {
        let mut bytes = [0; 250];
        bytes[..8].copy_from_slice(&[2, 8, 6, 0, 10, 0, 0, 0]);
        bytes[100..104].copy_from_slice(&[10, 128, 6, 0]);
        bytes[119] = 1;
        let keys = decode_md5keys(&bytes);
        let expected = [("10.0.0.0", 8), ("::1", 128)]
            .map(|(address, prefix_length)| Md5Key { address: address.parse().unwrap(), prefix_length });
        assert_eq!(*keys, expected);
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = (decode_ulp(&bytes), decode_md5keys(&bytes));
        }
    }
}
