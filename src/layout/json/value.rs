//! Appends values as JSON without building them first: for output that is written per socket or transition.

use std::io;
use std::net::IpAddr;

use super::push_value;
use crate::layout::columns::{push_addr, push_state};
use crate::layout::text::{is_plain, push_number};
use crate::model::TcpState;

/// Appends `,"key":value`.
macro_rules! member {
    ($out:expr, $key:expr, $value:expr) => {{
        $out.extend_from_slice(concat!(",\"", $key, "\":").as_bytes());
        $value.push($out);
    }};
}
pub(crate) use member;

/// A type that can be written as a JSON value.
pub(crate) trait ToJson {
    /// Appends it.
    fn push(self, out: &mut Vec<u8>);
}

macro_rules! numbers {
    ($($ty:ty)*) => {$(
        impl ToJson for $ty {
            fn push(self, out: &mut Vec<u8>) {
                push_number(out, self);
            }
        }
    )*};
}
numbers!(u8 u16 u32 u64);

impl ToJson for bool {
    fn push(self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self { b"true" } else { b"false" });
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn push(self, out: &mut Vec<u8>) {
        match self {
            Some(value) => value.push(out),
            None => out.extend_from_slice(b"null"),
        }
    }
}

impl ToJson for &str {
    fn push(self, out: &mut Vec<u8>) {
        if is_plain(self.as_bytes()) {
            out.push(b'"');
            out.extend_from_slice(self.as_bytes());
            out.push(b'"');
        } else {
            // Appending a string to memory does not fail.
            let _: io::Result<()> = push_value(out, &self);
        }
    }
}

impl ToJson for TcpState {
    fn push(self, out: &mut Vec<u8>) {
        out.push(b'"');
        push_state(out, self, self.name());
        out.push(b'"');
    }
}

impl ToJson for IpAddr {
    fn push(self, out: &mut Vec<u8>) {
        out.push(b'"');
        push_addr(out, self);
        out.push(b'"');
    }
}

/// A number that may pass 2^53, as a string.
pub(super) struct Decimal(pub(super) u64);

impl ToJson for Decimal {
    fn push(self, out: &mut Vec<u8>) {
        out.push(b'"');
        push_number(out, self.0);
        out.push(b'"');
    }
}
