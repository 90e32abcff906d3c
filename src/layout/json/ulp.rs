//! Upper-layer protocols (ULP) and MD5 keys as JSON.

use super::text;
use super::value::{Decimal, ToJson, member};
use crate::model::{Md5Key, Subflow, Tls, Ulp};

impl ToJson for &Ulp {
    fn push(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"name\":");
        (&*text(self.name.as_bytes())).push(out);
        if let Some(mptcp) = &self.mptcp {
            member!(out, "mptcp", mptcp);
        }
        if let Some(tls) = &self.tls {
            member!(out, "tls", tls);
        }
        out.push(b'}');
    }
}

impl ToJson for &Subflow {
    fn push(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"flags\":[");
        for (at, (_, name)) in self.flags().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            name.push(out);
        }
        out.push(b']');
        member!(out, "token_remote", self.remote.0);
        member!(out, "id_remote", self.remote.1);
        member!(out, "token_local", self.local.0);
        member!(out, "id_local", self.local.1);
        // It may pass 2^53.
        member!(out, "map_seq", Decimal(self.map_seq));
        member!(out, "map_subflow_seq", self.map_subflow_seq);
        member!(out, "ssn_offset", self.ssn_offset);
        member!(out, "map_data_len", self.map_data_len);
        out.push(b'}');
    }
}

impl ToJson for &Tls {
    fn push(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"version\":");
        self.version_name().push(out);
        member!(out, "cipher", self.cipher_name());
        member!(out, "tx_conf", self.tx_conf.and_then(Tls::conf_name));
        member!(out, "rx_conf", self.rx_conf.and_then(Tls::conf_name));
        out.push(b'}');
    }
}

impl ToJson for &[Md5Key] {
    fn push(self, out: &mut Vec<u8>) {
        out.push(b'[');
        for (at, key) in self.iter().enumerate() {
            out.extend_from_slice(if at == 0 { &b"{\"address\":"[..] } else { b",{\"address\":" });
            key.address.push(out);
            member!(out, "prefix_length", key.prefix_length);
            out.push(b'}');
        }
        out.push(b']');
    }
}
