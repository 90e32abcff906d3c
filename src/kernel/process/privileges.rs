//! The user and the capabilities that the program runs with.

use crate::kernel::files::read;
use crate::model::Privileges;

/// The privileges of the calling thread; `None` if /proc does not show them.
pub(super) fn privileges() -> Option<Privileges> {
    parse(&read("/proc/thread-self/status").ok()?)
}

/// `Uid:` has the real, the effective, the saved and the file system's user; `CapEff:` the capabilities in hexadecimal.
fn parse(status: &[u8]) -> Option<Privileges> {
    const DAC_OVERRIDE: u64 = 1 << 1;
    const DAC_READ_SEARCH: u64 = 1 << 2;
    const SYS_PTRACE: u64 = 1 << 19;
    let status = String::from_utf8_lossy(status);
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
    let uid = field("Uid:")?.split_whitespace().nth(1)?.parse().ok()?;
    let held = u64::from_str_radix(field("CapEff:")?.trim(), 16).ok()?;
    Some(Privileges {
        uid,
        ptrace: held & SYS_PTRACE != 0,
        read_any: held & (DAC_OVERRIDE | DAC_READ_SEARCH) != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effective_user_and_its_capabilities() {
        let status = b"Name:\tx\nUid:\t1000\t0\t0\t0\nCapPrm:\t0000000000000000\nCapEff:\t0000000000080004\n";
        assert_eq!(parse(status), Some(Privileges { uid: 0, ptrace: true, read_any: true }));
        let status = b"Uid:\t0\t65534\t0\t0\nCapEff:\t000001fffff7fff9\n";
        assert_eq!(parse(status), Some(Privileges { uid: 65534, ptrace: false, read_any: false }));
        assert_eq!(parse(b"\xff"), None);
    }
}
