//! The upper layer protocol of a TCP socket (`INET_DIAG_ULP_INFO`), and its MD5 keys (`INET_DIAG_MD5SIG`).

use std::net::IpAddr;

use super::Algorithm;

/// The upper layer protocol of a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ulp {
    /// `mptcp` or `tls`.
    pub name: Algorithm,
    /// For a connection with MPTCP.
    pub mptcp: Option<Subflow>,
    /// For a connection with TLS in the kernel.
    pub tls: Option<Tls>,
}

/// A subflow of an MPTCP connection (include/uapi/linux/mptcp.h).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subflow {
    /// `MPTCP_SUBFLOW_FLAG_*`
    pub flags: u32,
    /// The peer's token and address id.
    pub remote: (u32, u8),
    /// Our token and address id.
    pub local: (u32, u8),
    /// The data sequence number of the mapping.
    pub map_seq: u64,
    /// The subflow's sequence number of the mapping.
    pub map_subflow_seq: u32,
    /// The subflow's initial sequence number.
    pub ssn_offset: u32,
    /// The length of the mapping.
    pub map_data_len: u16,
}

impl Subflow {
    /// The names of the flags, with ss's letter for each.
    pub const FLAGS: [(char, &'static str); 9] = [
        ('M', "mp_capable_remote"),
        ('m', "mp_capable_local"),
        ('J', "mp_join_remote"),
        ('j', "mp_join_local"),
        ('B', "backup_remote"),
        ('b', "backup_local"),
        ('e', "fully_established"),
        ('c', "connected"),
        ('v', "mapping_valid"),
    ];

    /// The flags that are set, with ss's letter for each.
    pub fn flags(&self) -> impl Iterator<Item = (char, &'static str)> {
        let flags = self.flags;
        Self::FLAGS
            .into_iter()
            .enumerate()
            .filter(move |(bit, _)| flags >> bit & 1 == 1)
            .map(|(_, flag)| flag)
    }
}

/// TLS in the kernel (include/uapi/linux/tls.h).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tls {
    /// 0x0303 for 1.2, 0x0304 for 1.3.
    pub version: Option<u16>,
    /// `TLS_CIPHER_*`
    pub cipher: Option<u16>,
    /// Who encrypts: `TLS_CONF_*`.
    pub tx_conf: Option<u16>,
    /// Who decrypts.
    pub rx_conf: Option<u16>,
}

impl Tls {
    /// The version's name.
    pub fn version_name(&self) -> Option<&'static str> {
        match self.version? {
            0x0303 => Some("1.2"),
            0x0304 => Some("1.3"),
            _ => None,
        }
    }

    /// The cipher, as ss calls it.
    pub fn cipher_name(&self) -> Option<&'static str> {
        match self.cipher? {
            51 => Some("aes-gcm-128"),
            52 => Some("aes-gcm-256"),
            53 => Some("aes-ccm-128"),
            54 => Some("chacha20-poly1305"),
            _ => None,
        }
    }

    /// Who encrypts or decrypts: nobody, software or hardware.
    pub fn conf_name(conf: u16) -> Option<&'static str> {
        match conf {
            1 => Some("none"),
            2 => Some("sw"),
            3 => Some("hw"),
            4 => Some("hw-record"),
            _ => None,
        }
    }
}

/// Which peers' segments are signed with an MD5 key (RFC 2385). The key itself is a secret and is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Md5Key {
    /// The peer, or the network of peers.
    pub address: IpAddr,
    /// The prefix length of the address.
    pub prefix_length: u8,
}
