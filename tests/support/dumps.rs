//! The recorded dumps in tests/fixtures/dumps.

use std::path::{Path, PathBuf};

/// Where the dump of this name is.
pub(crate) fn recording(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dumps").join(format!("{name}.dump"))
}

/// The sockets' messages, each with its netlink header.
pub(crate) fn messages(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while let Some(len) = bytes.first_chunk().map(|len| u32::from_ne_bytes(*len) as usize) {
        let (message, rest) = bytes.split_at(len.next_multiple_of(4).min(bytes.len()));
        if message.get(4..6) == Some(&20_u16.to_ne_bytes()) {
            found.push(&message[..len]);
        }
        bytes = rest;
    }
    found
}
